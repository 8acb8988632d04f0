namespace Migrate.Linux.Sockets;

/// <summary>A point in time from which the remaining wait is computed after each interruption.</summary>
internal readonly struct Deadline
{
    private readonly long _end;

    public Deadline(TimeSpan timeout)
    {
        if (timeout < TimeSpan.Zero && timeout != Timeout.InfiniteTimeSpan)
            throw new ArgumentOutOfRangeException(nameof(timeout), timeout, "a timeout is not negative, unless infinite");
        _end = timeout == Timeout.InfiniteTimeSpan ? long.MaxValue : Environment.TickCount64 + (long)Math.Ceiling(timeout.TotalMilliseconds);
    }

    public bool IsOver => _end != long.MaxValue && Environment.TickCount64 >= _end;

    /// <summary>What is left, at least one millisecond; infinite when there is no limit.</summary>
    public TimeSpan Remaining =>
        _end == long.MaxValue ? Timeout.InfiniteTimeSpan : TimeSpan.FromMilliseconds(Math.Max(1, _end - Environment.TickCount64));

    /// <summary>For <c>poll</c>: -1 without limit, 0 when over.</summary>
    public int PollMilliseconds =>
        _end == long.MaxValue ? -1 : (int)Math.Clamp(_end - Environment.TickCount64, 0, int.MaxValue);
}
