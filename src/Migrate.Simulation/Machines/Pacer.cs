using System.Diagnostics;

namespace Migrate.Simulation.Machines;

/// <summary>Keeps one vCPU to its pace and its throttle by sleeping between batches of steps; never spins.</summary>
internal struct Pacer
{
    private const ulong LargestBatch = 256;

    /// <summary>Monitor.Wait counts in milliseconds; shorter debts are carried over.</summary>
    private static readonly TimeSpan ShortestSleep = TimeSpan.FromMilliseconds(1);

    /// <summary>Sleeps are cut to this, so that a changed throttle is soon noticed.</summary>
    private static readonly TimeSpan LongestSleep = TimeSpan.FromMilliseconds(100);

    /// <summary>What a vCPU that was held up may catch up on.</summary>
    private static readonly TimeSpan LargestBacklog = TimeSpan.FromMilliseconds(50);

    private readonly ulong _stepsPerSecond;
    private TimeSpan _debt;
    private long _since;

    /// <summary>A pace in steps per second; 0 is no limit.</summary>
    public Pacer(ulong stepsPerSecond)
    {
        _stepsPerSecond = stepsPerSecond;
        _since = Stopwatch.GetTimestamp();
    }

    /// <summary>Steps to do before the next <see cref="After"/>.</summary>
    public readonly ulong Batch => _stepsPerSecond == 0 ? LargestBatch : Math.Clamp(_stepsPerSecond / 1000, 1, LargestBatch);

    /// <summary>Sleeps as long as the steps just done ask for.</summary>
    /// <param name="steps">How many.</param>
    /// <param name="throttle">Percent of time to stand still, 0 to 99: with a pace the pace shrinks, without one the time that the steps took is stretched.</param>
    /// <param name="gate">What ends a sleep early.</param>
    public void After(ulong steps, int throttle, RunGate gate)
    {
        var now = Stopwatch.GetTimestamp();
        var took = Stopwatch.GetElapsedTime(_since, now);
        _since = now;
        var share = 1 - throttle / 100.0;
        if (_stepsPerSecond == 0 && throttle == 0)
        {
            _debt = TimeSpan.Zero;
            return;
        }
        var due = _stepsPerSecond == 0 ? took / share : TimeSpan.FromSeconds(Math.Min(60, steps / (_stepsPerSecond * share)));
        _debt += due - took;
        if (_debt < -LargestBacklog) _debt = -LargestBacklog;
        while (_debt >= ShortestSleep && gate.IsOpen)
        {
            gate.Sleep(_debt < LongestSleep ? _debt : LongestSleep);
            var woke = Stopwatch.GetTimestamp();
            _debt -= Stopwatch.GetElapsedTime(_since, woke);
            _since = woke;
        }
    }
}
