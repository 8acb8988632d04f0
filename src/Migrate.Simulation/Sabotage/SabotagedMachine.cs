using System.Numerics;
using Migrate.Model.Machines;
using Migrate.Model.Ports;

namespace Migrate.Simulation.Sabotage;

/// <summary>A machine whose dirty log loses one page, once: in the harvest after the stop, where nothing writes the page again before the move is over.</summary>
/// <remarks>A page that the harvest before already named may have been copied after its last write, and losing it would cost nothing. So the victim is one
/// that was clean then; any other only where the last slot has no such page.</remarks>
public sealed class SabotagedMachine(IMachine inner) : IMachine, IDisposable
{
    private readonly Dictionary<int, ulong[]> _harvestBefore = [];

    /// <summary>Whether a page was lost. A machine that wrote nothing before it was stopped has none to lose.</summary>
    public bool HasStruck { get; private set; }

    /// <inheritdoc/>
    public IReadOnlyList<GuestMemory> Memory => inner.Memory;

    /// <inheritdoc/>
    public bool IsRunning => inner.IsRunning;

    /// <inheritdoc/>
    public IReadOnlyList<KeyValuePair<string, ulong>> Counters => inner.Counters;

    /// <inheritdoc/>
    public MachineReport Describe() => inner.Describe();

    /// <inheritdoc/>
    public void StartDirtyLog() => inner.StartDirtyLog();

    /// <inheritdoc/>
    public void StopDirtyLog() => inner.StopDirtyLog();

    /// <inheritdoc/>
    public void CollectDirty(int slot, Span<ulong> bitmap)
    {
        var added = new ulong[bitmap.Length];
        inner.CollectDirty(slot, added);
        if (inner.IsRunning) _harvestBefore[slot] = added;
        else if (!HasStruck) HasStruck = Strike(added, _harvestBefore.GetValueOrDefault(slot, [])) || (slot == inner.Memory[^1].Slot.Slot && Strike(added, []));
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

    private static bool Strike(Span<ulong> harvest, ReadOnlySpan<ulong> spared)
    {
        for (var i = 0; i < harvest.Length; i++)
        {
            var victims = harvest[i] & ~(i < spared.Length ? spared[i] : 0);
            if (victims == 0) continue;
            harvest[i] &= ~(1UL << BitOperations.TrailingZeroCount(victims));
            return true;
        }
        return false;
    }
}
