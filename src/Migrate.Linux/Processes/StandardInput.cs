using System.Runtime.InteropServices;
using Migrate.Linux.Native;

namespace Migrate.Linux.Processes;

/// <summary>Standard input as bytes, when they come: a terminal, a pipe or a file, without the line editing of <see cref="Console"/>.</summary>
public static unsafe class StandardInput
{
    /// <summary>Its descriptor. One handle for good: a handle that the collector finds closes the number, whoever else uses it.</summary>
    internal static FileDescriptor Handle { get; } = new(0);

    /// <summary>Waits for bytes and reads them.</summary>
    /// <returns>How many; 0 at the end.</returns>
    /// <exception cref="LinuxException">It cannot be read.</exception>
    public static int Read(Span<byte> buffer)
    {
        while (true)
        {
            nint length;
            fixed (byte* address = buffer) length = Libc.read(Handle, address, (nuint)buffer.Length);
            if (length >= 0) return (int)length;
            var errno = Marshal.GetLastPInvokeError();
            if (errno == Errno.EINTR) continue;
            // Who gave it to us, or shares it with us, may have made it non-blocking.
            if (errno != Errno.EAGAIN) throw LinuxException.Last("read", "standard input");
            var descriptor = new PollDescriptor { Descriptor = 0, Events = SocketConstants.POLLIN };
            _ = Libc.poll(&descriptor, 1, -1);
        }
    }
}
