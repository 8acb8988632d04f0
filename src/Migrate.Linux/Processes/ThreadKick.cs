using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Migrate.Linux.Native;

namespace Migrate.Linux.Processes;

/// <summary>Takes one thread out of a call that swaps its signal mask (KVM_RUN), without a signal handler.</summary>
/// <remarks>
/// The signal is blocked in the thread and so never delivered: it only becomes pending. A call that runs with <see cref="MaskForCall"/> ends
/// with EINTR as long as it is pending; <see cref="Drain"/> takes it back. A kick that comes before the call is therefore not lost.
/// </remarks>
public sealed unsafe class ThreadKick
{
    /// <summary>SIGSTKFLT, which nothing sends: neither kernel, C library nor the .NET runtime.</summary>
    /// <remarks>
    /// A standard signal, not a real-time one: of these a thread has one pending at most (legacy_queue in kernel/signal.c), so kicks that the thread has not
    /// seen yet are one. The others queue, count against RLIMIT_SIGPENDING of the user, and are refused with EAGAIN beyond it.
    /// </remarks>
    public const int Signal = 16;

    private readonly nint _thread;
    private readonly int _managedThread;

    private ThreadKick(nint thread, ulong mask)
    {
        _thread = thread;
        _managedThread = Environment.CurrentManagedThreadId;
        MaskForCall = mask;
    }

    /// <summary>The kernel's signal mask for the call: the thread's own without <see cref="Signal"/>; signal 1 in bit 0.</summary>
    public ulong MaskForCall { get; }

    /// <summary>Makes the calling thread one that can be kicked. It must not be kicked after its end.</summary>
    /// <exception cref="LinuxException">The signal could not be blocked.</exception>
    public static ThreadKick OfThisThread()
    {
        var set = stackalloc byte[ProcessConstants.SignalSetBytes];
        var old = stackalloc byte[ProcessConstants.SignalSetBytes];
        FillSet(set);
        var errno = Libc.pthread_sigmask(ProcessConstants.SIG_BLOCK, set, old);
        if (errno != 0) throw new LinuxException("pthread_sigmask", errno, $"signal {Signal}");
        // Linux's signals are the first 64 bits of the C library's set.
        var mask = BinaryPrimitives.ReadUInt64LittleEndian(new ReadOnlySpan<byte>(old, 8));
        return new ThreadKick(Libc.pthread_self(), mask & ~(1UL << (Signal - 1)));
    }

    /// <summary>Makes the signal pending in the thread, or leaves it so. From any thread.</summary>
    /// <exception cref="LinuxException">There is no such thread any more.</exception>
    public void Send()
    {
        var errno = Libc.pthread_kill(_thread, Signal);
        if (errno != 0) throw new LinuxException("pthread_kill", errno, $"signal {Signal}");
    }

    /// <summary>Takes back what was sent until now, or does nothing when there is nothing. On the thread itself, before it looks what the kick was for.</summary>
    /// <returns>Whether there was one.</returns>
    public bool Drain()
    {
        if (Environment.CurrentManagedThreadId != _managedThread) throw new InvalidOperationException("only the kicked thread drains its kick");
        var set = stackalloc byte[ProcessConstants.SignalSetBytes];
        FillSet(set);
        var now = default(Timespec);
        while (true)
        {
            if (Libc.sigtimedwait(set, null, &now) == Signal) return true;
            var errno = Marshal.GetLastPInvokeError();
            if (errno == Errno.EAGAIN) return false;
            if (errno != Errno.EINTR) throw LinuxException.Last("sigtimedwait", $"signal {Signal}");
        }
    }

    private static void FillSet(byte* set)
    {
        _ = Libc.sigemptyset(set);
        _ = Libc.sigaddset(set, Signal);
    }
}
