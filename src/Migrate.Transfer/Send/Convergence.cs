namespace Migrate.Transfer.Send;

/// <summary>What to do after a round.</summary>
internal enum RoundVerdict
{
    /// <summary>Another round.</summary>
    GoOn,

    /// <summary>What is left fits into the downtime: stop the machine.</summary>
    Stop,

    /// <summary>Slow the vCPUs down first.</summary>
    Throttle,

    /// <summary>The machine writes faster than can be sent, however slow it is.</summary>
    GiveUp,
}

/// <summary>Decides after each round whether the rest fits into the downtime. Knows numbers only.</summary>
internal sealed class Convergence(TimeSpan maxDowntime, bool autoConverge)
{
    // A round that leaves more than this share of what it sent has not shrunk.
    private const double Shrinks = 0.8;

    // So many rounds in a row must fail to shrink before anything is done about it: one may be chance.
    private const int Patience = 2;

    // Below this, a round says more about latency than about throughput.
    private const long Telling = 1 << 20;

    private const int Step = 20;
    private const int Most = 99;

    private int _stale;
    private long _lastLeft = long.MaxValue;
    private double _bytes;
    private double _seconds;

    /// <summary>The throttle that should be set, in percent.</summary>
    public int Throttle { get; private set; }

    /// <summary>Bytes a second, as far as is known.</summary>
    public double Throughput { get; private set; }

    /// <summary>Judges a round.</summary>
    /// <param name="sent">Bytes that were sent.</param>
    /// <param name="seconds">How long that took.</param>
    /// <param name="left">Bytes that were dirtied meanwhile.</param>
    public RoundVerdict After(long sent, double seconds, long left)
    {
        (_bytes, _seconds) = (_bytes + sent, _seconds + seconds);
        Throughput = sent >= Telling ? sent / seconds : _bytes / _seconds;
        if (left <= Throughput * maxDowntime.TotalSeconds) return RoundVerdict.Stop;
        var shrank = left < Shrinks * Math.Min(sent, _lastLeft);
        _lastLeft = left;
        _stale = shrank ? 0 : _stale + 1;
        if (_stale < Patience || !autoConverge) return RoundVerdict.GoOn;
        if (Throttle == Most) return _stale < 2 * Patience ? RoundVerdict.GoOn : RoundVerdict.GiveUp;
        Throttle = Math.Min(Most, Throttle + Step);
        _stale = 0;
        return RoundVerdict.Throttle;
    }
}
