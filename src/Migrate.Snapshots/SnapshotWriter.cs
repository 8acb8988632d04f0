using System.Diagnostics;
using Migrate.Linux.Files;
using Migrate.Model;
using Migrate.Model.Encoding;
using Migrate.Model.Errors;
using Migrate.Snapshots.Format;
using Migrate.Transfer.Pages;
using Migrate.Transfer.Wire;

namespace Migrate.Snapshots;

/// <summary>Takes full snapshots. The machine stands still while its pages are written; it runs on before the file is made durable.</summary>
public static class SnapshotWriter
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Writes a snapshot under a temporary name and gives it its own once it is durable.</summary>
    /// <param name="path">The file; one that is there is replaced in one step.</param>
    /// <param name="name">The snapshot's name.</param>
    /// <param name="source">The machine.</param>
    /// <param name="cancellation">Looked at once a frame.</param>
    /// <exception cref="MigrateException">The machine or the storage refused. There is no file of that name that was not there before, and the machine runs on if it ran.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the same holds.</exception>
    public static SnapshotReport Write(string path, string name, ISnapshotSource source, CancellationToken cancellation = default) =>
        Write(path, name, source, write => write, cancellation);

    /// <summary>As the public one, with the writes led through a function: where tests let storage fail.</summary>
    internal static SnapshotReport Write(
        string path, string name, ISnapshotSource source, Func<PositionalWrite, PositionalWrite> through, CancellationToken cancellation)
    {
        var since = Stopwatch.GetTimestamp();
        // Before the machine stops: whatever is wrong with the directory costs it nothing.
        using var file = PendingFile.Create(path, OwnerOnly);
        using var output = new SnapshotOutput(through(file.Write), file.FinalPath, source.PageSize);
        using var channel = new FrameChannel(output, StreamPurpose.Snapshot);

        var stopped = Stopwatch.GetTimestamp();
        SnapshotHead head;
        PageCounts counts;
        try
        {
            source.Quiesce();
            head = WriteContent(channel, name, source, cancellation, out counts);
        }
        catch
        {
            TryResume(source);
            throw;
        }
        source.Resume();
        var paused = Stopwatch.GetElapsedTime(stopped);

        var index = Finish(channel, output, counts);
        file.Commit();
        return new SnapshotReport(file.FinalPath, SnapshotReader.Describe(head, index, output.Position), paused, Stopwatch.GetElapsedTime(since));
    }

    private static SnapshotHead WriteContent(
        FrameChannel channel, string name, ISnapshotSource source, CancellationToken cancellation, out PageCounts counts)
    {
        var state = source.Capture();
        var slots = source.Memory.Slots.Select(slot => slot.Slot).ToEquatableArray();
        if (slots != state.Vm.Memory)
            throw new MigrateException(ErrorCode.Protocol, $"machine {state.Vm.Name} shares other memory slots than it describes") { Stage = Stage.Snapshot };
        var head = new SnapshotHead
        {
            Name = name,
            Machine = state.Vm.Name,
            VmId = state.Vm.Id,
            Created = DateTimeOffset.FromUnixTimeSeconds(DateTimeOffset.UtcNow.ToUnixTimeSeconds()),
            PageSize = source.PageSize,
            Memory = slots,
        };
        channel.WritePreamble();
        channel.Send(FrameKind.SnapshotHead, SnapshotHead.Shape, head);
        channel.Send(FrameKind.SnapshotState, Documents.MachineState, state);

        var everything = new DirtyBitmap([.. slots], source.PageSize);
        everything.SetAll();
        var sender = new PageSender(channel, source.Memory, source.PageSize);
        counts = default;
        for (var i = 0; i < slots.Count; i++) counts += sender.Send(slots[i].Slot, everything.Slot(i), firstRound: true, cancellation);
        return head;
    }

    private static SnapshotIndex Finish(FrameChannel channel, SnapshotOutput output, PageCounts counts)
    {
        var indexOffset = output.Position;
        var index = new SnapshotIndex
        {
            Sha256 = EquatableArray.Create<byte>(output.Digest()),
            StoredPages = counts.Pages,
            ZeroPages = counts.ZeroPages,
            Frames = [.. output.Frames],
        };
        channel.Send(FrameKind.SnapshotIndex, SnapshotIndex.Shape, index);
        Span<byte> end = stackalloc byte[SnapshotEnd.PayloadSize];
        new SnapshotEnd(indexOffset, output.Position + SnapshotEnd.FrameSize).CopyTo(end);
        channel.SendEncoded(FrameKind.SnapshotEnd, end);
        return index;
    }

    private static void TryResume(ISnapshotSource source)
    {
        try
        {
            source.Resume();
        }
        catch (MigrateException)
        {
            // What failed first is reported; a lost machine socket lets the machine run on by itself.
        }
    }
}
