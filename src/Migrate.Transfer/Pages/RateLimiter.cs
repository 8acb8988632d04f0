using System.Diagnostics;

namespace Migrate.Transfer.Pages;

/// <summary>Keeps a sender at a number of bytes a second: a token bucket that sleeps until the moment when there is room.</summary>
public sealed class RateLimiter
{
    // What may be sent at once after a pause: long enough for the timer's resolution, short enough not to be seen as a burst.
    private static readonly TimeSpan Burst = TimeSpan.FromMilliseconds(50);
    private readonly Func<TimeSpan> _now;
    private readonly Action<TimeSpan, CancellationToken> _sleep;
    private readonly double _bytesPerSecond;
    private TimeSpan _free;

    /// <summary>A limit.</summary>
    /// <param name="bytesPerSecond">Above zero.</param>
    public RateLimiter(long bytesPerSecond)
        : this(bytesPerSecond, () => Stopwatch.GetElapsedTime(0), Sleep)
    {
    }

    /// <summary>A limit by a clock of the caller's.</summary>
    internal RateLimiter(long bytesPerSecond, Func<TimeSpan> now, Action<TimeSpan, CancellationToken> sleep)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytesPerSecond);
        (_bytesPerSecond, _now, _sleep) = (bytesPerSecond, now, sleep);
        _free = now();
    }

    /// <summary>Waits until the bytes may be sent.</summary>
    /// <exception cref="OperationCanceledException">Cancelled while waiting.</exception>
    public void Take(long bytes, CancellationToken cancellation)
    {
        var now = _now();
        if (_free < now - Burst) _free = now - Burst;
        if (_free > now) _sleep(_free - now, cancellation);
        _free += TimeSpan.FromSeconds(bytes / _bytesPerSecond);
    }

    private static void Sleep(TimeSpan time, CancellationToken cancellation)
    {
        if (cancellation.WaitHandle.WaitOne(time)) cancellation.ThrowIfCancellationRequested();
    }
}
