using System.Runtime.InteropServices;
using Migrate.Linux.Native;
using static Migrate.Linux.Native.SocketConstants;

namespace Migrate.Linux.Sockets;

/// <summary>A connected byte stream that blocks from its creation to its end.</summary>
/// <remarks>
/// One thread may send while another receives. <see cref="Abort"/> may be called by any thread and unblocks both; after
/// <see cref="Dispose()"/> nothing may be called. Never wrapped in a <see cref="System.Net.Sockets.Socket"/>: one asynchronous
/// operation there makes a socket non-blocking for good.
/// </remarks>
public abstract unsafe class StreamSocket : IDisposable
{
    private volatile bool _aborted;
    private TimeSpan _receiveTimeout = Timeout.InfiniteTimeSpan;
    private TimeSpan _sendTimeout = Timeout.InfiniteTimeSpan;

    private protected StreamSocket(FileDescriptor socket, string peerName)
    {
        Handle = socket;
        PeerName = peerName;
    }

    /// <summary>Who is at the other end, for messages.</summary>
    public string PeerName { get; }

    /// <summary>How long a receive waits for the next bytes; infinite at first. Takes effect with the next wait.</summary>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public TimeSpan ReceiveTimeout
    {
        get => _receiveTimeout;
        set
        {
            SocketOptions.SetTimeout(Handle, SO_RCVTIMEO, value, PeerName);
            _receiveTimeout = value;
        }
    }

    /// <summary>How long a send waits for room; infinite at first. Takes effect with the next wait.</summary>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public TimeSpan SendTimeout
    {
        get => _sendTimeout;
        set
        {
            SocketOptions.SetTimeout(Handle, SO_SNDTIMEO, value, PeerName);
            _sendTimeout = value;
        }
    }

    internal FileDescriptor Handle { get; }

    /// <summary>Sends every byte.</summary>
    /// <exception cref="PeerLostException">The connection ended.</exception>
    /// <exception cref="PeerTimedOutException">No room for as long as <see cref="SendTimeout"/>.</exception>
    public void SendAll(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* pointer = bytes)
            SendAll(pointer, bytes.Length);
    }

    /// <summary>Sends every byte straight from memory that the garbage collector does not move.</summary>
    /// <exception cref="PeerLostException">The connection ended.</exception>
    /// <exception cref="PeerTimedOutException">No room for as long as <see cref="SendTimeout"/>.</exception>
    public void SendAll(byte* pointer, nint length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        SendRange(pointer, length, 0, length);
    }

    /// <summary>Sends every byte of every range, in order, without copying and without allocating.</summary>
    /// <exception cref="PeerLostException">The connection ended.</exception>
    /// <exception cref="PeerTimedOutException">No room for as long as <see cref="SendTimeout"/>.</exception>
    public void SendVector(ReadOnlySpan<IoVector> vectors)
    {
        long wanted = 0;
        foreach (var vector in vectors)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(vector.Length);
            wanted = checked(wanted + vector.Length);
        }
        long done = 0;
        var index = 0;
        fixed (IoVector* first = vectors)
        {
            while (done < wanted)
            {
                var header = new MessageHeader
                {
                    Vectors = (nint)(first + index),
                    VectorCount = (nuint)Math.Min(vectors.Length - index, IOV_MAX),
                };
                var sent = Libc.sendmsg(Handle, &header, MSG_NOSIGNAL);
                if (sent < 0)
                {
                    ThrowUnlessInterrupted("sendmsg", done, wanted);
                    continue;
                }
                done += sent;
                while (index < vectors.Length && sent >= first[index].Length)
                    sent -= first[index++].Length;
                // A range cut in two is finished by itself, so that the caller's vectors need neither a copy nor a change.
                if (sent > 0)
                {
                    var rest = first[index].Length - sent;
                    SendRange((byte*)first[index].Address + sent, rest, done, wanted);
                    done += rest;
                    index++;
                }
            }
        }
    }

    /// <summary>Receives what is there, at least one byte.</summary>
    /// <param name="buffer">Where to; not empty.</param>
    /// <returns>Bytes received; 0 when the peer ended the stream in order.</returns>
    /// <exception cref="PeerLostException">The connection broke, or was aborted on this side.</exception>
    /// <exception cref="PeerTimedOutException">Nothing came for as long as <see cref="ReceiveTimeout"/>.</exception>
    public int Receive(Span<byte> buffer)
    {
        if (buffer.IsEmpty)
            throw new ArgumentException("a receive needs room for at least one byte", nameof(buffer));
        fixed (byte* pointer = buffer)
            return (int)ReceiveSome(pointer, buffer.Length, 0, buffer.Length);
    }

    /// <summary>Fills the buffer.</summary>
    /// <exception cref="PeerLostException">The stream ended or broke before the last byte.</exception>
    /// <exception cref="PeerTimedOutException">Nothing came for as long as <see cref="ReceiveTimeout"/>.</exception>
    public void ReceiveExactly(Span<byte> buffer)
    {
        fixed (byte* pointer = buffer)
            ReceiveExactly(pointer, buffer.Length);
    }

    /// <summary>Fills a range of memory that the garbage collector does not move, such as mapped guest memory.</summary>
    /// <exception cref="PeerLostException">The stream ended or broke before the last byte.</exception>
    /// <exception cref="PeerTimedOutException">Nothing came for as long as <see cref="ReceiveTimeout"/>.</exception>
    public void ReceiveExactly(byte* pointer, nint length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        nint done = 0;
        while (done < length)
        {
            var received = ReceiveSome(pointer + done, length - done, done, length);
            if (received == 0)
                throw new PeerLostException(PeerName, "it closed the connection", done, length);
            done += received;
        }
    }

    /// <summary>Tells the peer that nothing more will be sent; receiving goes on.</summary>
    public void ShutdownSend() => _ = Libc.shutdown(Handle, SHUT_WR);

    /// <summary>Ends both directions at once; a send or receive blocked in another thread ends with a <see cref="PeerLostException"/>.</summary>
    public void Abort()
    {
        _aborted = true;
        _ = Libc.shutdown(Handle, SHUT_RDWR);
    }

    /// <summary>Ends the connection and closes it; safe to call twice.</summary>
    public void Dispose()
    {
        if (Handle.IsClosed)
            return;
        Abort();
        Handle.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>One receive into memory that does not move; 0 at the end of the stream.</summary>
    private protected virtual nint ReceiveSome(byte* pointer, nint length, long done, long wanted)
    {
        while (true)
        {
            var received = Libc.recv(Handle, pointer, (nuint)length, 0);
            if (received > 0)
                return received;
            if (received == 0)
                return EndOfStream(done, wanted);
            ThrowUnlessInterrupted("recv", done, wanted);
        }
    }

    /// <summary>0, or the error when the stream ended because this side aborted it.</summary>
    private protected nint EndOfStream(long done, long wanted) =>
        _aborted ? throw new PeerLostException(PeerName, "aborted on this side", done, wanted) : 0;

    private protected void SendRange(byte* pointer, nint length, long done, long wanted)
    {
        nint position = 0;
        while (position < length)
        {
            var sent = Libc.send(Handle, pointer + position, (nuint)(length - position), MSG_NOSIGNAL);
            if (sent < 0)
                ThrowUnlessInterrupted("send", done + position, wanted);
            else
                position += sent;
        }
    }

    /// <summary>The last call's error as what it means for the connection; returns only when the call is to be repeated.</summary>
    private protected void ThrowUnlessInterrupted(string call, long done, long wanted)
    {
        var errno = Marshal.GetLastPInvokeError();
        switch (errno)
        {
            case Errno.EINTR:
                return;
            case Errno.EAGAIN when call.StartsWith("recv", StringComparison.Ordinal):
                throw new PeerTimedOutException(PeerName, "sent", _receiveTimeout, done, wanted);
            case Errno.EAGAIN:
                throw new PeerTimedOutException(PeerName, "took", _sendTimeout, done, wanted);
            // ETIMEDOUT is the keepalive or the retransmission giving up: the peer's host is gone, not slow.
            case Errno.EPIPE or Errno.ECONNRESET or Errno.ECONNABORTED or Errno.ENOTCONN or Errno.ESHUTDOWN or Errno.ETIMEDOUT
                or Errno.EHOSTUNREACH or Errno.EHOSTDOWN or Errno.ENETUNREACH or Errno.ENETDOWN or Errno.ENETRESET:
                var reason = _aborted ? "aborted on this side" : $"{Errno.Name(errno)} ({Marshal.GetPInvokeErrorMessage(errno)})";
                throw new PeerLostException(PeerName, reason, done, wanted);
            default:
                throw new LinuxException(call, errno, PeerName);
        }
    }
}
