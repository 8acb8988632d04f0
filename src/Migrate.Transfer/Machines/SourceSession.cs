using System.Runtime.InteropServices;
using Migrate.Linux.Memory;
using Migrate.Model.Encoding;
using Migrate.Model.Errors;
using Migrate.Model.Machines;
using Migrate.Transfer.Pages;
using Migrate.Transfer.Wire;

namespace Migrate.Transfer.Machines;

/// <summary>What a collection of dirty pages gave.</summary>
/// <param name="Epoch">Its number, from 1.</param>
/// <param name="Pages">Bits set in the bitmap.</param>
public readonly record struct CollectResult(long Epoch, long Pages);

/// <summary>The one migration session of a machine that may leave: its dirty log runs from the opening on.</summary>
/// <remarks>When the session ends before <see cref="Release"/>, by <see cref="Dispose"/> or because this process dies, the machine's
/// process stops the log, unthrottles and lets the machine run on if it ran.</remarks>
public sealed class SourceSession : IDisposable
{
    private readonly MachineClient _client;
    private readonly MemFd _bitmapFile;
    private readonly MemoryMapping _bitmap;
    private long _consumed;
    private bool _over;

    private SourceSession(MachineClient client, SessionOpened opened, MappedMemory memory, MemFd bitmapFile)
    {
        _client = client;
        Memory = memory;
        PageSize = opened.PageSize;
        WasRunning = opened.WasRunning;
        _bitmapFile = bitmapFile;
        _bitmap = bitmapFile.Map(MappingAccess.Read);
    }

    /// <summary>Guest memory, mapped for reading.</summary>
    public MappedMemory Memory { get; }

    /// <summary>Bytes that a bit of the dirty bitmap stands for.</summary>
    public int PageSize { get; }

    /// <summary>Whether the machine ran when the session was opened.</summary>
    public bool WasRunning { get; }

    /// <summary>A clear bitmap of the machine's memory.</summary>
    public DirtyBitmap NewBitmap() => new([.. Memory.Slots.Select(s => s.Slot)], PageSize);

    /// <summary>Fetches the pages that were written since the last collection. They count as clean from here on, so they are read after this, never before.</summary>
    /// <param name="bitmap">From <see cref="NewBitmap"/>; its content is replaced by a private copy.</param>
    public CollectResult Collect(DirtyBitmap bitmap)
    {
        var reply = _client.Ask(FrameKind.Collect, MachineMessages.Consumed, _consumed, FrameKind.Collected, MachineMessages.Collected);
        if (reply.Epoch != _consumed + 1)
        {
            _client.Abort();
            throw new MigrateException(ErrorCode.Protocol, $"{_client.Path} answered with collection {reply.Epoch}; {_consumed + 1} was to come");
        }
        CopyBitmap(bitmap);
        _consumed = reply.Epoch;
        return new CollectResult(reply.Epoch, bitmap.Count);
    }

    /// <summary>Slows the vCPUs: 0 none, 99 almost stopped.</summary>
    public void Throttle(int percent) => _client.Tell(FrameKind.Throttle, MachineMessages.Percent, percent);

    /// <summary>Stops the vCPUs and saves device tables into guest memory; nothing writes afterwards.</summary>
    public void Quiesce() => _client.Tell(FrameKind.Quiesce);

    /// <summary>The state of the quiesced machine; after the last <see cref="Collect"/>, never before.</summary>
    public MachineState Capture() => _client.Ask(FrameKind.Capture, FrameKind.Captured, Documents.MachineState);

    /// <summary>Lets a quiesced machine run on within the session, its log still running.</summary>
    public void Resume() => _client.Tell(FrameKind.Unquiesce);

    /// <summary>From the answer on, the machine never runs again without this id. Where no answer comes, its status tells whether it was released.</summary>
    public void Release(string handoverId) => _client.Tell(FrameKind.Release, MachineMessages.Handover, handoverId);

    /// <summary>Copies the shared bitmap as it is now.</summary>
    internal void CopyBitmap(DirtyBitmap bitmap)
    {
        MemoryMarshal.Cast<byte, ulong>(_bitmap.View(0, checked((int)bitmap.Bytes))).CopyTo(bitmap.Words);
        bitmap.ClearBeyondEnd();
    }

    /// <summary>Ends the session and waits until the machine's process has done its part.</summary>
    public void Dispose()
    {
        if (_over) return;
        _over = true;
        Close(_client);
        _bitmap.Dispose();
        _bitmapFile.Dispose();
        Memory.Dispose();
    }

    internal static SourceSession Open(MachineClient client)
    {
        var descriptors = new List<SafeHandle>();
        MappedMemory? memory = null;
        try
        {
            var opened = client.AskForDescriptors(FrameKind.OpenSource, (Shape<int>?)null, 0, FrameKind.SessionOpened, MachineMessages.SessionOpened, descriptors);
            if (descriptors.Count != 1)
                throw new MigrateException(ErrorCode.Protocol, $"{client.Path} opened a source session with {descriptors.Count} descriptors instead of one for the dirty bitmap");
            memory = SessionMemory.Fetch(client, opened.Slots, MappingAccess.Read);
            var layout = new DirtyBitmap([.. memory.Slots.Select(s => s.Slot)], opened.PageSize);
            return new SourceSession(client, opened, memory, MemFd.Adopt(descriptors[0], Math.Max(layout.Bytes, 1), "the dirty bitmap"));
        }
        catch (Exception e)
        {
            memory?.Dispose();
            foreach (var descriptor in descriptors) descriptor.Dispose();
            // A refusal leaves the connection usable; anything else may have left a session behind.
            if (e is not PeerErrorException) client.Abort();
            throw;
        }
    }

    internal static void Close(MachineClient client)
    {
        try
        {
            client.Tell(FrameKind.CloseSession);
        }
        catch (PeerErrorException)
        {
            // No session any more: the machine was started, or resumed by its id.
        }
        catch (MigrateException)
        {
            client.Abort();
        }
    }
}
