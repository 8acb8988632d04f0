using Migrate.Model;
using Migrate.Model.Encoding;
using Migrate.Model.Machines;

namespace Migrate.Snapshots;

/// <summary>What a snapshot file says about itself.</summary>
public sealed record SnapshotInfo
{
    /// <summary>The snapshot's name when it was taken.</summary>
    public required string Name { get; init; }

    /// <summary>The machine's name.</summary>
    public required string Machine { get; init; }

    /// <summary>Identity of the VM.</summary>
    public required string VmId { get; init; }

    /// <summary>When it was taken, UTC, by whole seconds.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>Bytes of a page in the file.</summary>
    public required int PageSize { get; init; }

    /// <summary>Guest memory, by slot.</summary>
    public required EquatableArray<MemorySlot> Memory { get; init; }

    /// <summary>Pages that the file holds.</summary>
    public required long StoredPages { get; init; }

    /// <summary>Pages that are zero and not stored.</summary>
    public required long ZeroPages { get; init; }

    /// <summary>Bytes of the file.</summary>
    public required long FileBytes { get; init; }

    /// <summary>SHA-256 of the content, in lowercase hexadecimal digits.</summary>
    public required string Sha256 { get; init; }

    /// <summary>The snapshot that this one builds on; null for a full one.</summary>
    public string? Parent { get; init; }

    /// <summary>How it is written, for <c>--json</c>.</summary>
    public static Shape<SnapshotInfo> Shape { get; } = Declare();

    private static Shape<SnapshotInfo> Declare()
    {
        var record = new RecordShape<SnapshotInfo>("SnapshotInfo", "What a snapshot file says about itself.");
        var name = record.Required("name", Shapes.TextUpTo(256), i => i.Name, "Its name when it was taken.");
        var machine = record.Required("machine", Shapes.TextUpTo(256), i => i.Machine, "The machine's name.");
        var vmId = record.Required("vmId", Shapes.TextUpTo(64), i => i.VmId, "Identity of the VM.");
        var created = record.Required("created", Shapes.Int64, i => i.Created.ToUnixTimeSeconds(), "When it was taken, in seconds since 1970 UTC.");
        var pageSize = record.Required("pageSize", Shapes.Int32, i => i.PageSize, "Bytes of a page.");
        var memory = record.Required("memory", Shapes.List(Documents.MemorySlot, 512), i => i.Memory, "Guest memory, by slot.");
        var stored = record.Required("storedPages", Shapes.Int64, i => i.StoredPages, "Pages that the file holds.");
        var zero = record.Required("zeroPages", Shapes.Int64, i => i.ZeroPages, "Pages that are zero and not stored.");
        var bytes = record.Required("fileBytes", Shapes.Int64, i => i.FileBytes, "Bytes of the file.");
        var sha256 = record.Required("sha256", Shapes.TextUpTo(64), i => i.Sha256, "SHA-256 of the content.");
        var parent = record.Optional("parent", Shapes.Optional(Shapes.TextUpTo(256)), i => i.Parent, null, "The snapshot that this one builds on.");
        return record.Build(v => new SnapshotInfo
        {
            Name = v.Get(name),
            Machine = v.Get(machine),
            VmId = v.Get(vmId),
            Created = DateTimeOffset.FromUnixTimeSeconds(v.Get(created)),
            PageSize = v.Get(pageSize),
            Memory = v.Get(memory),
            StoredPages = v.Get(stored),
            ZeroPages = v.Get(zero),
            FileBytes = v.Get(bytes),
            Sha256 = v.Get(sha256),
            Parent = v.Get(parent),
        });
    }
}

/// <summary>What taking a snapshot came to.</summary>
/// <param name="Path">The file.</param>
/// <param name="Info">What is in it.</param>
/// <param name="Paused">How long the machine stood still.</param>
/// <param name="Elapsed">How long the whole took, until the file was durable.</param>
public sealed record SnapshotReport(string Path, SnapshotInfo Info, TimeSpan Paused, TimeSpan Elapsed);
