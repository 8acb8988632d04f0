using System.Globalization;
using Migrate.Model;
using Migrate.Model.Encoding;
using Migrate.Model.Errors;
using Migrate.Model.Machines;
using Migrate.Transfer.Pages;

namespace Migrate.Snapshots.Format;

/// <summary>The first frame of a snapshot: what `list` shows without reading the rest.</summary>
internal sealed record SnapshotHead
{
    private const string SchemaId = "vmmigrate/snapshot/1";
    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss'Z'";

    /// <summary>The snapshot's name when it was taken.</summary>
    public required string Name { get; init; }

    /// <summary>The machine's name.</summary>
    public required string Machine { get; init; }

    public required string VmId { get; init; }

    /// <summary>When, in UTC, by whole seconds.</summary>
    public required DateTimeOffset Created { get; init; }

    public required int PageSize { get; init; }

    public required EquatableArray<MemorySlot> Memory { get; init; }

    /// <summary>The snapshot that this one is the difference to; null for a full one.</summary>
    public string? Parent { get; init; }

    /// <summary>Pages of all slots together.</summary>
    public long Pages
    {
        get
        {
            var sum = 0L;
            foreach (var slot in Memory) sum = checked(sum + DirtyBitmap.PagesOf(slot, PageSize));
            return sum;
        }
    }

    public static Shape<SnapshotHead> Shape { get; } = Declare();

    private static Shape<SnapshotHead> Declare()
    {
        var record = new RecordShape<SnapshotHead>("SnapshotHead", "What a snapshot file holds.");
        var schema = record.Required("schema", Shapes.TextUpTo(128), _ => SchemaId, "The kind and version of the content.");
        var name = record.Required("name", Shapes.TextUpTo(256), h => h.Name, "The snapshot's name when it was taken.");
        var machine = record.Required("machine", Shapes.TextUpTo(256), h => h.Machine, "The machine's name.");
        var vmId = record.Required("vmId", Shapes.TextUpTo(64), h => h.VmId, "Identity of the VM.");
        var created = record.Required(
            "created", Shapes.TextUpTo(32), h => h.Created.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture), "When it was taken, UTC.");
        var pageSize = record.Required("pageSize", Shapes.Int32, h => h.PageSize, "Bytes of a page in this file.");
        var memory = record.Required("memory", Shapes.List(Documents.MemorySlot, MappedMemory.MaxSlots), h => h.Memory, "Guest memory, by slot.");
        var parent = record.Optional(
            "parent", Shapes.Optional(Shapes.TextUpTo(256)), h => h.Parent, null, "The snapshot that this one builds on; absent for a full one.");
        record.Rule(h => h.Memory.Select(slot => slot.Slot).Distinct().Count() == h.Memory.Count ? null : "a memory slot is there twice");
        return record.Build(v =>
        {
            var head = new SnapshotHead
            {
                Name = v.Get(name),
                Machine = v.Get(machine),
                VmId = v.Get(vmId),
                Created = Time(v.Get(created)),
                PageSize = v.Get(pageSize),
                Memory = v.Get(memory),
                Parent = v.Get(parent),
            };
            if (v.Get(schema) != SchemaId)
                throw new MigrateException(ErrorCode.Unsupported, $"the snapshot's content is not '{SchemaId}'") { Remedy = "Use the version of vmmigrate that wrote it." };
            EnsureAddressable(head);
            return head;
        });
    }

    private static DateTimeOffset Time(string text) =>
        DateTimeOffset.TryParseExact(text, TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time
            : throw new MigrateException(ErrorCode.Malformed, "the time is not of the form 2026-01-31T12:00:00Z");

    private static void EnsureAddressable(SnapshotHead head)
    {
        var left = (ulong)long.MaxValue;
        foreach (var slot in head.Memory)
        {
            _ = DirtyBitmap.PagesOf(slot, head.PageSize);
            if (slot.Size > left) throw new MigrateException(ErrorCode.Malformed, "the memory slots together are larger than any machine");
            left -= slot.Size;
        }
    }
}
