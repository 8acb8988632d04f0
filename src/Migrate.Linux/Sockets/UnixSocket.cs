using System.Runtime.InteropServices;
using Migrate.Linux.Native;
using Migrate.Model.Errors;
using static Migrate.Linux.Native.SocketConstants;

namespace Migrate.Linux.Sockets;

/// <summary>A connected Unix stream socket that can carry descriptors.</summary>
/// <remarks>A peer that sends descriptors where none are expected, or more than expected, is refused: they are closed and the connection ends.</remarks>
public sealed unsafe class UnixSocket : StreamSocket
{
    /// <summary>Most descriptors in one message (the kernel's own limit is 253, SCM_MAX_FD).</summary>
    public const int MaxDescriptors = 32;

    internal UnixSocket(FileDescriptor socket, string peerName)
        : base(socket, peerName)
    {
    }

    /// <summary>The kernel's word on who connected, or who listened.</summary>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public PeerCredentials Peer
    {
        get
        {
            UserCredentials credentials;
            var length = (uint)sizeof(UserCredentials);
            return Libc.getsockopt(Handle, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0
                ? new PeerCredentials(credentials.Pid, credentials.Uid, credentials.Gid)
                : throw LinuxException.Last("getsockopt(SO_PEERCRED)", PeerName);
        }
    }

    /// <summary>Connects to a listener.</summary>
    /// <param name="path">At most 107 bytes.</param>
    /// <param name="timeout">How long to wait for room in the listener's queue.</param>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Unreachable"/>: nobody listens there, or the queue stayed full.</exception>
    /// <exception cref="LinuxException">Not allowed.</exception>
    public static UnixSocket Connect(string path, TimeSpan timeout)
    {
        var socket = UnixAddress.NewSocket(path);
        try
        {
            switch (UnixAddress.TryConnect(socket, path, new Deadline(timeout)))
            {
                case 0:
                    SocketOptions.SetTimeout(socket, SO_SNDTIMEO, Timeout.InfiniteTimeSpan, path);
                    return new UnixSocket(socket, path);
                case Errno.ENOENT:
                    throw new MigrateException(ErrorCode.Unreachable, $"{path} does not exist");
                case Errno.ECONNREFUSED:
                    throw new MigrateException(ErrorCode.Unreachable, $"nobody listens on {path}: its process is gone, or it is not a socket");
                case Errno.EAGAIN:
                    throw new MigrateException(ErrorCode.Unreachable, $"{path} took no connection for {timeout.TotalSeconds:0.###} s") { IsTransient = true };
                case var errno:
                    throw new LinuxException("connect", errno, path);
            }
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Two sockets connected to each other.</summary>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public static (UnixSocket First, UnixSocket Second) Pair()
    {
        var numbers = stackalloc int[2];
        if (Libc.socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, numbers) != 0)
            throw LinuxException.Last("socketpair", "a pair of Unix sockets");
        return (new UnixSocket(new FileDescriptor(numbers[0]), "the second of a pair"), new UnixSocket(new FileDescriptor(numbers[1]), "the first of a pair"));
    }

    /// <summary>Refuses a peer that is neither this process's user nor root.</summary>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Denied"/>; the connection is ended.</exception>
    public void RequireTrustedPeer()
    {
        var peer = Peer;
        var own = Libc.geteuid();
        if (peer.IsUserOrRoot(own))
            return;
        Abort();
        throw new MigrateException(ErrorCode.Denied, $"{PeerName} (pid {peer.Pid}) is user {peer.UserId}; only user {own} and root may connect");
    }

    /// <summary>Sends bytes, with descriptors attached to the first of them.</summary>
    /// <param name="bytes">Not empty.</param>
    /// <param name="descriptors">At most <see cref="MaxDescriptors"/>; they stay the caller's.</param>
    /// <exception cref="PeerLostException">The connection ended.</exception>
    /// <exception cref="PeerTimedOutException">No room for as long as <see cref="StreamSocket.SendTimeout"/>.</exception>
    public void Send(ReadOnlySpan<byte> bytes, ReadOnlySpan<SafeHandle> descriptors)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(descriptors.Length, MaxDescriptors);
        if (bytes.IsEmpty)
            throw new ArgumentException("descriptors travel with at least one byte", nameof(bytes));
        if (descriptors.IsEmpty)
        {
            SendAll(bytes);
            return;
        }
        var control = stackalloc byte[ControlHeader.SpaceFor(MaxDescriptors * sizeof(int))];
        var held = 0;
        try
        {
            *(ControlHeader*)control = new ControlHeader
            {
                Length = (nuint)ControlHeader.LengthFor(descriptors.Length * sizeof(int)),
                Level = SOL_SOCKET,
                Type = SCM_RIGHTS,
            };
            foreach (var descriptor in descriptors)
            {
                var added = false;
                descriptor.DangerousAddRef(ref added);
                ((int*)(control + sizeof(ControlHeader)))[held++] = (int)descriptor.DangerousGetHandle();
            }
            fixed (byte* pointer = bytes)
            {
                var sent = SendFirst(pointer, bytes.Length, control, ControlHeader.SpaceFor(descriptors.Length * sizeof(int)));
                SendRange(pointer + sent, bytes.Length - sent, sent, bytes.Length);
            }
        }
        finally
        {
            foreach (var descriptor in descriptors[..held])
                descriptor.DangerousRelease();
        }
    }

    /// <summary>Fills the buffer and takes the descriptors that came with those bytes.</summary>
    /// <param name="buffer">Not empty; no byte beyond it is taken from the stream.</param>
    /// <param name="descriptors">One place for each descriptor expected, at most <see cref="MaxDescriptors"/>; those filled are the caller's to close.</param>
    /// <returns>How many descriptors came.</returns>
    /// <exception cref="PeerLostException">The stream ended or broke before the last byte; descriptors that came are closed.</exception>
    /// <exception cref="PeerTimedOutException">Nothing came for as long as <see cref="StreamSocket.ReceiveTimeout"/>; descriptors that came are closed.</exception>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Protocol"/>: more descriptors than expected, or some that could not be
    /// delivered; all are closed and the connection is ended.</exception>
    public int ReceiveExactly(Span<byte> buffer, Span<FileDescriptor?> descriptors)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(descriptors.Length, MaxDescriptors);
        if (buffer.IsEmpty)
            throw new ArgumentException("descriptors travel with at least one byte", nameof(buffer));
        var count = 0;
        try
        {
            fixed (byte* pointer = buffer)
            {
                var done = 0;
                while (done < buffer.Length)
                {
                    var received = ReceiveMessage(pointer + done, buffer.Length - done, done, buffer.Length, descriptors, ref count);
                    if (received == 0)
                        throw new PeerLostException(PeerName, "it closed the connection", done, buffer.Length);
                    done += (int)received;
                }
            }
            return count;
        }
        catch
        {
            foreach (ref var descriptor in descriptors[..count])
            {
                descriptor?.Dispose();
                descriptor = null;
            }
            throw;
        }
    }

    private protected override nint ReceiveSome(byte* pointer, nint length, long done, long wanted)
    {
        var count = 0;
        return ReceiveMessage(pointer, length, done, wanted, [], ref count);
    }

    private nint SendFirst(byte* pointer, int length, byte* control, int controlLength)
    {
        var vector = new IoVector((nint)pointer, length);
        while (true)
        {
            var header = new MessageHeader
            {
                Vectors = (nint)(&vector),
                VectorCount = 1,
                Control = (nint)control,
                ControlLength = (nuint)controlLength,
            };
            var sent = Libc.sendmsg(Handle, &header, MSG_NOSIGNAL);
            if (sent >= 0)
                return sent;
            ThrowUnlessInterrupted("sendmsg", 0, length);
        }
    }

    private nint ReceiveMessage(byte* pointer, nint length, long done, long wanted, Span<FileDescriptor?> descriptors, ref int count)
    {
        // Room for exactly what is still expected: the kernel itself closes what does not fit and says MSG_CTRUNC.
        const int room = 16 + MaxDescriptors * sizeof(int);
        var control = stackalloc byte[room];
        var expected = descriptors.Length - count;
        var vector = new IoVector((nint)pointer, length);
        while (true)
        {
            var header = new MessageHeader
            {
                Vectors = (nint)(&vector),
                VectorCount = 1,
                Control = expected == 0 ? 0 : (nint)control,
                ControlLength = expected == 0 ? 0 : (nuint)ControlHeader.LengthFor(expected * sizeof(int)),
            };
            var received = Libc.recvmsg(Handle, &header, MSG_CMSG_CLOEXEC);
            if (received < 0)
            {
                ThrowUnlessInterrupted("recvmsg", done, wanted);
                continue;
            }
            var foreign = !TakeDescriptors(control, (int)header.ControlLength, descriptors, ref count);
            if (foreign || (header.Flags & MSG_CTRUNC) != 0)
            {
                Abort();
                throw new MigrateException(
                    ErrorCode.Protocol,
                    $"{PeerName} sent {(foreign ? "an unknown control message" : "descriptors that were not expected or could not be delivered")} ({descriptors.Length} descriptors expected); the connection was ended");
            }
            return received == 0 ? EndOfStream(done, wanted) : received;
        }
    }

    /// <summary>Takes every descriptor out of the control data; false when there is anything else in it.</summary>
    private static bool TakeDescriptors(byte* control, int length, Span<FileDescriptor?> descriptors, ref int count)
    {
        var known = true;
        var position = 0;
        while (position + sizeof(ControlHeader) <= length)
        {
            var header = *(ControlHeader*)(control + position);
            if (header.Length < (nuint)sizeof(ControlHeader) || header.Length > (nuint)(length - position))
                return false;
            if (header.Level == SOL_SOCKET && header.Type == SCM_RIGHTS)
            {
                var numbers = new ReadOnlySpan<int>(control + position + sizeof(ControlHeader), ((int)header.Length - sizeof(ControlHeader)) / sizeof(int));
                foreach (var number in numbers)
                    descriptors[count++] = new FileDescriptor(number);
            }
            else
            {
                known = false;
            }
            position += ControlHeader.SpaceFor((int)header.Length - sizeof(ControlHeader));
        }
        return known;
    }
}
