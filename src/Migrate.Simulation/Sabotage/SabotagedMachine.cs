using System.Numerics;
using Migrate.Model.Machines;
using Migrate.Model.Ports;

namespace Migrate.Simulation.Sabotage;

/// <summary>A machine whose dirty log loses one page, once: in the harvest after the stop, where nothing writes the page again before the move is over.</summary>
public sealed class SabotagedMachine(IMachine inner) : IMachine
{
    private bool _done;

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
        if (_done || inner.IsRunning)
        {
            inner.CollectDirty(slot, bitmap);
            return;
        }
        var before = bitmap.ToArray();
        inner.CollectDirty(slot, bitmap);
        for (var i = 0; i < bitmap.Length; i++)
        {
            var added = bitmap[i] & ~before[i];
            if (added == 0) continue;
            bitmap[i] &= ~(1UL << BitOperations.TrailingZeroCount(added));
            _done = true;
            return;
        }
    }

    /// <inheritdoc/>
    public void Throttle(int percent) => inner.Throttle(percent);

    /// <inheritdoc/>
    public void Quiesce() => inner.Quiesce();

    /// <inheritdoc/>
    public MachineState Capture() => inner.Capture();

    /// <inheritdoc/>
    public void Resume() => inner.Resume();
}
