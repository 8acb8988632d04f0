using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Migrate.Linux.Native;
using static Migrate.Linux.Native.SocketConstants;

namespace Migrate.Linux.Sockets;

/// <summary>Internet endpoints as the kernel's <c>struct sockaddr_in</c> and <c>sockaddr_in6</c>.</summary>
internal static unsafe class TcpAddress
{
    private const int Bytes = 28;

    public static FileDescriptor NewSocket(IPEndPoint endpoint, int flags = 0)
    {
        var family = endpoint.AddressFamily == AddressFamily.InterNetworkV6 ? AF_INET6 : AF_INET;
        return FileDescriptor.FromCall(Libc.socket(family, SOCK_STREAM | SOCK_CLOEXEC | flags, IPPROTO_TCP), "socket", endpoint.ToString());
    }

    /// <summary>A connection attempt: 0 or the error number.</summary>
    public static int TryConnect(FileDescriptor socket, IPEndPoint endpoint, Deadline deadline)
    {
        var address = endpoint.Serialize();
        fixed (byte* pointer = address.Buffer.Span)
        {
            while (true)
            {
                SocketOptions.SetTimeout(socket, SO_SNDTIMEO, deadline.Remaining, endpoint.ToString());
                if (Libc.connect(socket, pointer, (uint)address.Size) == 0)
                    return 0;
                // An interrupted attempt goes on in the kernel; calling again waits for it (net/ipv4/af_inet.c, __inet_stream_connect).
                var errno = Marshal.GetLastPInvokeError();
                if (errno != Errno.EINTR || deadline.IsOver)
                    return errno;
            }
        }
    }

    public static void Bind(FileDescriptor socket, IPEndPoint endpoint)
    {
        var address = endpoint.Serialize();
        fixed (byte* pointer = address.Buffer.Span)
        {
            if (Libc.bind(socket, pointer, (uint)address.Size) != 0)
                throw LinuxException.Last("bind", endpoint.ToString());
        }
    }

    public static IPEndPoint Local(FileDescriptor socket, string subject)
    {
        var buffer = stackalloc byte[Bytes];
        uint length = Bytes;
        return Libc.getsockname(socket, buffer, &length) == 0 ? Read(buffer) : throw LinuxException.Last("getsockname", subject);
    }

    public static IPEndPoint? Remote(FileDescriptor socket)
    {
        var buffer = stackalloc byte[Bytes];
        uint length = Bytes;
        return Libc.getpeername(socket, buffer, &length) == 0 ? Read(buffer) : null;
    }

    private static IPEndPoint Read(byte* buffer)
    {
        var family = *(ushort*)buffer == AF_INET6 ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork;
        var address = new SocketAddress(family, family == AddressFamily.InterNetworkV6 ? 28 : 16);
        new ReadOnlySpan<byte>(buffer, address.Size).CopyTo(address.Buffer.Span);
        var endpoint = (IPEndPoint)new IPEndPoint(IPAddress.Any, 0).Create(address);
        return endpoint.Address.IsIPv4MappedToIPv6 ? new IPEndPoint(endpoint.Address.MapToIPv4(), endpoint.Port) : endpoint;
    }
}
