using System.Runtime.InteropServices;
using Migrate.Linux.Native;
using static Migrate.Linux.Native.ProcessConstants;

namespace Migrate.Linux.Processes;

/// <summary>Signals to other processes.</summary>
public static class Signals
{
    /// <summary>Asks a process to stop what it is doing. A process that has gone is no error.</summary>
    public static void Interrupt(int pid) => Send(pid, SIGINT);

    /// <summary>Asks a process to end. A process that has gone is no error.</summary>
    public static void Terminate(int pid) => Send(pid, SIGTERM);

    private static void Send(int pid, int signal)
    {
        // 0 and negative numbers address whole groups of processes.
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(pid);
        if (Libc.kill(pid, signal) == 0) return;
        var errno = Marshal.GetLastPInvokeError();
        if (errno != Errno.ESRCH) throw new LinuxException("kill", errno, $"process {pid}");
    }
}
