using System.Runtime.InteropServices;

namespace Migrate.Linux.Native;

/// <summary>Constants of sockets. Equal on x86-64 and arm64 (uapi asm-generic/socket.h, linux/socket.h, linux/tcp.h; net/socket flags of glibc).</summary>
internal static class SocketConstants
{
    public const int AF_UNIX = 1;
    public const int AF_INET = 2;
    public const int AF_INET6 = 10;
    public const int SOCK_STREAM = 1;
    public const int SOCK_NONBLOCK = 0x800;
    public const int SOCK_CLOEXEC = 0x80000;

    public const int SOL_SOCKET = 1;
    public const int SO_REUSEADDR = 2;
    public const int SO_SNDBUF = 7;
    public const int SO_RCVBUF = 8;
    public const int SO_KEEPALIVE = 9;
    public const int SO_PEERCRED = 17;
    public const int SO_RCVTIMEO = 20;
    public const int SO_SNDTIMEO = 21;
    public const int SCM_RIGHTS = 1;

    public const int IPPROTO_TCP = 6;
    public const int TCP_NODELAY = 1;
    public const int TCP_KEEPIDLE = 4;
    public const int TCP_KEEPINTVL = 5;
    public const int TCP_KEEPCNT = 6;
    public const int TCP_USER_TIMEOUT = 18;

    public const int MSG_CTRUNC = 0x8;
    public const int MSG_NOSIGNAL = 0x4000;
    public const int MSG_CMSG_CLOEXEC = 0x40000000;

    public const int SHUT_WR = 1;
    public const int SHUT_RDWR = 2;

    public const short POLLIN = 0x1;
    public const int EFD_CLOEXEC = 0x80000;

    /// <summary>Most elements the kernel takes in one vector (UIO_MAXIOV, uapi linux/uio.h).</summary>
    public const int IOV_MAX = 1024;

    /// <summary>Bytes of <c>sun_path</c>, the closing zero included (uapi linux/un.h).</summary>
    public const int UnixPathMax = 108;
}

/// <summary><c>struct msghdr</c> of a 64-bit C library.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct MessageHeader
{
    public nint Name;
    public uint NameLength;
    public nint Vectors;
    public nuint VectorCount;
    public nint Control;
    public nuint ControlLength;
    public int Flags;
}

/// <summary><c>struct cmsghdr</c>: 16 bytes, then the data.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ControlHeader
{
    public nuint Length;
    public int Level;
    public int Type;

    /// <summary>CMSG_LEN: header and data without the padding behind it.</summary>
    public static int LengthFor(int data) => 16 + data;

    /// <summary>CMSG_SPACE: header and data, rounded up to 8 bytes.</summary>
    public static int SpaceFor(int data) => 16 + ((data + 7) & ~7);
}

/// <summary><c>struct timeval</c> of a 64-bit C library.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TimeValue
{
    public long Seconds;
    public long Microseconds;
}

/// <summary><c>struct ucred</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct UserCredentials
{
    public int Pid;
    public uint Uid;
    public uint Gid;
}

/// <summary><c>struct pollfd</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PollDescriptor
{
    public int Descriptor;
    public short Events;
    public short Returned;
}
