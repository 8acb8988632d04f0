using System.Numerics;
using Migrate.Model.Machines;
using Migrate.Model.Ports;

namespace Migrate.Simulation.Sabotage;

/// <summary>A machine whose dirty log loses one page for good: it is left out of the harvest that first names it and of all that follow.</summary>
/// <remarks>A page that the harvest before already named may have been copied after its last write, and losing it would cost nothing. So the victim is one
/// that was clean in the harvest before. A busy guest gives one long before it is stopped: between the last live harvest and the stop it may write hot pages only.</remarks>
public sealed class SabotagedMachine(IMachine inner) : IMachine, IDisposable
{
    private readonly Dictionary<int, ulong[]> _harvestBefore = [];
    private (int Slot, int Word, ulong Bit)? _lost;

    /// <inheritdoc/>
    public IReadOnlyList<GuestMemory> Memory => inner.Memory;

    /// <inheritdoc/>
    public bool IsRunning => inner.IsRunning;

    /// <inheritdoc/>
    public IReadOnlyList<KeyValuePair<string, ulong>> Counters => inner.Counters;

    /// <inheritdoc/>
    public MachineReport Describe() => inner.Describe();

    /// <inheritdoc/>
    public void StartDirtyLog()
    {
        _harvestBefore.Clear();
        inner.StartDirtyLog();
    }

    /// <inheritdoc/>
    public void StopDirtyLog() => inner.StopDirtyLog();

    /// <inheritdoc/>
    public void CollectDirty(int slot, Span<ulong> bitmap)
    {
        var added = new ulong[bitmap.Length];
        inner.CollectDirty(slot, added);
        if (_harvestBefore.TryGetValue(slot, out var before)) _lost ??= Victim(slot, added, before);
        _harvestBefore[slot] = [.. added];
        if (_lost is var (victimSlot, word, bit) && victimSlot == slot) added[word] &= ~bit;
        for (var i = 0; i < added.Length; i++) bitmap[i] |= added[i];
    }

    /// <inheritdoc/>
    public void Throttle(int percent) => inner.Throttle(percent);

    /// <inheritdoc/>
    public void Quiesce() => inner.Quiesce();

    /// <inheritdoc/>
    public MachineState Capture() => inner.Capture();

    /// <inheritdoc/>
    public void Resume() => inner.Resume();

    /// <summary>Disposes the machine inside, where that can be.</summary>
    public void Dispose() => (inner as IDisposable)?.Dispose();

    private static (int Slot, int Word, ulong Bit)? Victim(int slot, ReadOnlySpan<ulong> harvest, ReadOnlySpan<ulong> before)
    {
        for (var i = 0; i < harvest.Length; i++)
        {
            var victims = harvest[i] & ~before[i];
            if (victims != 0) return (slot, i, 1UL << BitOperations.TrailingZeroCount(victims));
        }
        return null;
    }
}
