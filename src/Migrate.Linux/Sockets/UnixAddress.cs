using System.Runtime.InteropServices;
using System.Text;
using Migrate.Linux.Native;
using Migrate.Model.Errors;
using static Migrate.Linux.Native.SocketConstants;

namespace Migrate.Linux.Sockets;

/// <summary>A <c>struct sockaddr_un</c> for a path in the file system, and the calls that take one.</summary>
internal static unsafe class UnixAddress
{
    /// <summary>A connection attempt: 0 or the error number.</summary>
    public static int TryConnect(FileDescriptor socket, string path, Deadline deadline)
    {
        var address = stackalloc byte[2 + UnixPathMax];
        var length = Write(address, path);
        while (true)
        {
            SocketOptions.SetTimeout(socket, SO_SNDTIMEO, deadline.Remaining, path);
            if (Libc.connect(socket, address, length) == 0)
                return 0;
            var errno = Marshal.GetLastPInvokeError();
            if (errno != Errno.EINTR || deadline.IsOver)
                return errno;
        }
    }

    public static void Bind(FileDescriptor socket, string path)
    {
        var address = stackalloc byte[2 + UnixPathMax];
        var length = Write(address, path);
        if (Libc.bind(socket, address, length) != 0)
            throw LinuxException.Last("bind", path);
    }

    public static FileDescriptor NewSocket(string path, int flags = 0) =>
        FileDescriptor.FromCall(Libc.socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0), "socket", path);

    private static uint Write(byte* address, string path)
    {
        var bytes = Encoding.UTF8.GetByteCount(path);
        if (bytes is 0 or >= UnixPathMax || path.Contains('\0'))
        {
            throw new MigrateException(ErrorCode.Usage, $"{path} cannot name a Unix socket: it has {bytes} bytes, and 1 to {UnixPathMax - 1} without zeros are allowed")
            {
                Remedy = "Choose a shorter directory.",
            };
        }
        *(ushort*)address = AF_UNIX;
        Encoding.UTF8.GetBytes(path, new Span<byte>(address + 2, UnixPathMax));
        address[2 + bytes] = 0;
        return (uint)(2 + bytes + 1);
    }
}
