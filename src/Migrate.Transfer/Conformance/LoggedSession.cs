using System.Diagnostics;
using Migrate.Model.Machines;
using Migrate.Transfer.Machines;
using Migrate.Transfer.Pages;
using Migrate.Transfer.Wire;

namespace Migrate.Transfer.Conformance;

/// <summary>A collection as it was answered.</summary>
/// <param name="Epoch">Its number.</param>
/// <param name="Pages">The number of bits set, as the machine's process says.</param>
/// <param name="Bits">A copy of the bitmap.</param>
internal readonly record struct Collection(long Epoch, long Pages, DirtyBitmap Bits);

/// <summary>A source session whose collections name whatever epoch the check wants.</summary>
internal sealed class LoggedSession : IDisposable
{
    private readonly SourceSession _session;
    private long _last;

    public LoggedSession(MachineClient client)
    {
        Client = client;
        _session = client.OpenSource();
    }

    public MachineClient Client { get; }

    public MappedMemory Memory => _session.Memory;

    public int PageSize => _session.PageSize;

    /// <summary>Collects with the last epoch as consumed, as a move does.</summary>
    public Collection Collect() => Collect(_last);

    public Collection Collect(long consumed)
    {
        var reply = Client.Ask(FrameKind.Collect, MachineMessages.Consumed, consumed, FrameKind.Collected, MachineMessages.Collected);
        _last = reply.Epoch;
        var bits = _session.NewBitmap();
        _session.CopyBitmap(bits);
        return new Collection(reply.Epoch, reply.Pages, bits);
    }

    /// <summary>Collects, as a move does, until the guest has written something.</summary>
    /// <param name="patience">How long to wait for it.</param>
    /// <param name="written">The collection with marks in it.</param>
    public bool TryCollectWrites(TimeSpan patience, out Collection written)
    {
        for (var since = Stopwatch.GetTimestamp(); ; Thread.Sleep(5))
        {
            written = Collect();
            if (written.Bits.Count > 0) return true;
            if (Stopwatch.GetElapsedTime(since) > patience) return false;
        }
    }

    /// <summary>The same where a check can say nothing of a guest that writes nothing.</summary>
    public Collection CollectWrites(TimeSpan patience) => TryCollectWrites(patience, out var written)
        ? written
        : throw new NotTriedException($"the guest wrote no memory for {patience.TotalSeconds:0.#} s; run one that does");

    public void Quiesce() => _session.Quiesce();

    public MachineState Capture() => _session.Capture();

    public void Unquiesce() => _session.Resume();

    public PageHashes Hash() => PageHashes.Of(Memory, PageSize);

    /// <summary>Ends the session in order.</summary>
    public void Close() => Client.Tell(FrameKind.CloseSession);

    /// <summary>Ends the connection without a word, as the death of its process does.</summary>
    public void Die() => Client.Dispose();

    public void Dispose()
    {
        Die();
        _session.Dispose();
    }
}
