using System.Runtime.InteropServices;
using Migrate.Linux.Native;
using static Migrate.Linux.Native.SocketConstants;

namespace Migrate.Linux.Sockets;

/// <summary>Waiting for a connection on a non-blocking listening socket, ended by a timeout or a cancellation.</summary>
internal static unsafe class Acceptor
{
    /// <summary>The next connection, blocking and closed on exec; null when the time is over.</summary>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    /// <exception cref="LinuxException">The kernel refused, for want of descriptors or memory for example; the listener still works.</exception>
    public static FileDescriptor? Accept(FileDescriptor listener, string subject, TimeSpan timeout, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var deadline = new Deadline(timeout);
        using var wake = FileDescriptor.FromCall(Libc.eventfd(0, EFD_CLOEXEC), "eventfd", subject);
        // Disposed before the descriptor: a cancellation that runs meanwhile is waited for.
        using var registration = cancellation.UnsafeRegister(static state => Signal((FileDescriptor)state!), wake);
        while (true)
        {
            var accepted = Libc.accept4(listener, null, null, SOCK_CLOEXEC);
            if (accepted >= 0)
                return new FileDescriptor(accepted);
            switch (Marshal.GetLastPInvokeError())
            {
                case Errno.EAGAIN:
                    break;
                // The connection broke before it was accepted (accept(2), "Error handling"): the next one may be there already.
                case Errno.EINTR or Errno.ECONNABORTED or Errno.EPROTO or Errno.ENETDOWN or Errno.EHOSTDOWN or Errno.EHOSTUNREACH or Errno.ENETUNREACH:
                    continue;
                default:
                    throw LinuxException.Last("accept4", subject);
            }
            if (deadline.IsOver)
                return null;
            Wait(listener, wake, deadline, subject);
            cancellation.ThrowIfCancellationRequested();
        }
    }

    private static void Wait(FileDescriptor listener, FileDescriptor wake, Deadline deadline, string subject)
    {
        var held = false;
        listener.DangerousAddRef(ref held);
        try
        {
            var descriptors = stackalloc PollDescriptor[2];
            descriptors[0] = new PollDescriptor { Descriptor = (int)listener.DangerousGetHandle(), Events = POLLIN };
            descriptors[1] = new PollDescriptor { Descriptor = (int)wake.DangerousGetHandle(), Events = POLLIN };
            if (Libc.poll(descriptors, 2, deadline.PollMilliseconds) < 0 && Marshal.GetLastPInvokeError() != Errno.EINTR)
                throw LinuxException.Last("poll", subject);
        }
        finally
        {
            listener.DangerousRelease();
        }
    }

    private static void Signal(FileDescriptor wake)
    {
        ulong one = 1;
        _ = Libc.write(wake, (byte*)&one, sizeof(ulong));
    }
}
