using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Migrate.Linux.Native;

namespace Migrate.Linux.Processes;

/// <summary>What this process does to itself.</summary>
public static class ThisProcess
{
    /// <summary>Ends at once as a crash would: no finally block, no flush, no exit handler (SIGKILL).</summary>
    [DoesNotReturn]
    public static void KillSelf()
    {
        _ = Libc.kill(Libc.getpid(), ProcessConstants.SIGKILL);
        // The signal may take effect on another thread first.
        Thread.Sleep(Timeout.Infinite);
        throw new UnreachableException();
    }

    /// <summary>Calls back, once and on a thread of its own, when standard input ends: how a child learns that its parent is gone.</summary>
    /// <param name="ended">What to do. What was read until then is thrown away.</param>
    public static void WhenStdinEnds(Action ended) => WhenEnds(StandardInput.Handle, "stdin-end", ended);

    /// <summary>The same for any readable descriptor, which stays open.</summary>
    internal static unsafe void WhenEnds(FileDescriptor input, string threadName, Action ended)
    {
        var thread = new Thread(() =>
        {
            var buffer = stackalloc byte[512];
            // Every error but an interruption means that no end will ever be seen: treated as one.
            while (Libc.read(input, buffer, 512) is var length && (length > 0 || (length < 0 && Interrupted())))
            {
            }
            ended();
        })
        {
            IsBackground = true,
            Name = threadName,
        };
        thread.Start();
    }

    private static bool Interrupted() => Marshal.GetLastPInvokeError() == Errno.EINTR;
}
