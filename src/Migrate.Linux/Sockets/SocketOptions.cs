using Migrate.Linux.Native;
using static Migrate.Linux.Native.SocketConstants;

namespace Migrate.Linux.Sockets;

/// <summary>Socket options by value.</summary>
internal static unsafe class SocketOptions
{
    public static void Set(FileDescriptor socket, int level, int option, int value, string subject)
    {
        if (Libc.setsockopt(socket, level, option, &value, sizeof(int)) != 0)
            throw LinuxException.Last($"setsockopt({level}, {option})", subject);
    }

    public static int Get(FileDescriptor socket, int level, int option, string subject)
    {
        int value;
        uint length = sizeof(int);
        return Libc.getsockopt(socket, level, option, &value, &length) == 0
            ? value
            : throw LinuxException.Last($"getsockopt({level}, {option})", subject);
    }

    /// <summary>SO_RCVTIMEO or SO_SNDTIMEO; the latter also bounds a connect (net/ipv4/af_inet.c, net/unix/af_unix.c).</summary>
    public static void SetTimeout(FileDescriptor socket, int option, TimeSpan timeout, string subject)
    {
        if (timeout <= TimeSpan.Zero && timeout != Timeout.InfiniteTimeSpan)
            throw new ArgumentOutOfRangeException(nameof(timeout), timeout, "a timeout is above zero or infinite");
        // All zeros mean no limit to the kernel, so a limit below a microsecond is rounded up.
        var microseconds = timeout == Timeout.InfiniteTimeSpan ? 0 : Math.Max(1, (long)timeout.TotalMicroseconds);
        var value = new TimeValue { Seconds = microseconds / 1_000_000, Microseconds = microseconds % 1_000_000 };
        if (Libc.setsockopt(socket, SOL_SOCKET, option, &value, (uint)sizeof(TimeValue)) != 0)
            throw LinuxException.Last("setsockopt(timeout)", subject);
    }
}
