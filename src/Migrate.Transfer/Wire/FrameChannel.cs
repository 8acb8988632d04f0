using System.Runtime.InteropServices;
using Migrate.Linux.Sockets;
using Migrate.Model.Encoding;
using Migrate.Model.Errors;

namespace Migrate.Transfer.Wire;

/// <summary>Frames over a byte stream. One thread may send while another receives; nothing of a payload is trusted before it is bounded.</summary>
/// <remarks>
/// An error in the middle of a frame breaks its direction for good, since what follows could be anything; the other direction still
/// works, so that the peer can be told why before the stream is closed.
/// An <see cref="FrameKind.Error"/> frame breaks nothing, and is thrown as a <see cref="PeerErrorException"/>.
/// </remarks>
public sealed unsafe partial class FrameChannel : IDisposable
{
    private readonly IByteStream _stream;
    private readonly StreamPurpose _purpose;
    private readonly PayloadBuffer _sending = new();
    private readonly PayloadBuffer _receiving = new();
    private readonly byte[] _sendHeader = GC.AllocateArray<byte>(FrameHeader.Size, pinned: true);
    private readonly byte[] _receiveHeader = new byte[FrameHeader.Size];
    private FrameHeader _pending;
    private long _unread;
    private long _received;
    private long _sent;
    private readonly Lock _closing = new();
    private bool _closed;
    private volatile bool _sendBroken;
    private volatile bool _receiveBroken;

    /// <summary>Frames over a stream, which then belongs to the channel.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="purpose">What both preambles must say.</param>
    public FrameChannel(IByteStream stream, StreamPurpose purpose)
    {
        _stream = stream;
        _purpose = purpose;
    }

    /// <summary>Who is at the other end, for messages.</summary>
    public string Name => _stream.Name;

    /// <summary>Bytes received so far: the offset of the next frame in what the peer sent.</summary>
    public long BytesReceived => _received;

    /// <summary>Bytes sent so far.</summary>
    public long BytesSent => _sent;

    /// <summary>How long to wait for the peer to move one more byte.</summary>
    public TimeSpan IdleTimeout
    {
        get => _stream.IdleTimeout;
        set => _stream.IdleTimeout = value;
    }

    /// <summary>Whether one direction can no longer be used.</summary>
    public bool IsBroken => _sendBroken || _receiveBroken;

    /// <summary>Sends this side's preamble and judges the other's: the first act on a connection, of both sides.</summary>
    /// <exception cref="MigrateException">The peer speaks something else; the channel is broken.</exception>
    public void ExchangePreambles()
    {
        Request(WritePreamble);
        ReadPreamble();
    }

    /// <summary>Sends while nobody receives; when the peer has left, throws what it said before it did, if it said anything.</summary>
    /// <remarks>A peer that turns a connection away says why and closes it, often before this side has sent its first byte.</remarks>
    /// <param name="send">One send on this channel.</param>
    /// <exception cref="PeerErrorException">The peer's last words.</exception>
    /// <exception cref="PeerLostException">It left without a word.</exception>
    public void Request(Action send)
    {
        try
        {
            send();
        }
        catch (PeerLostException) when (LastWords() is { } said)
        {
            throw said;
        }
    }

    private PeerErrorException? LastWords()
    {
        try
        {
            if (_received == 0) ReadPreamble();
            ReceiveHeader();
            return null;
        }
        catch (PeerErrorException e)
        {
            return e;
        }
        catch (MigrateException)
        {
            return null;
        }
    }

    /// <summary>Writes the preamble: the first act on a file.</summary>
    public void WritePreamble()
    {
        Span<byte> bytes = stackalloc byte[Preamble.Size];
        Preamble.For(_purpose).CopyTo(bytes);
        BeginSend();
        _stream.Write(bytes);
        _sent += bytes.Length;
        _sendBroken = false;
    }

    /// <summary>Reads and judges the preamble.</summary>
    /// <exception cref="MigrateException">The peer speaks something else; the channel is broken.</exception>
    public void ReadPreamble()
    {
        Span<byte> bytes = stackalloc byte[Preamble.Size];
        BeginReceive();
        _stream.ReadExactly(bytes);
        _received += bytes.Length;
        var preamble = Preamble.Read(bytes, _purpose, Name);
        Skip(preamble.Length - Preamble.Size);
        _receiveBroken = false;
    }

    /// <summary>Sends a frame without payload.</summary>
    public void Send(FrameKind kind) => SendPayload(kind, [], []);

    /// <summary>Sends a structured frame.</summary>
    /// <exception cref="MigrateException"><see cref="ErrorCode.TooLarge"/>: beyond the kind's limit; nothing was sent.</exception>
    public void Send<T>(FrameKind kind, Shape<T> shape, T value) => Send(kind, shape, value, []);

    /// <summary>Sends a structured frame with descriptors.</summary>
    /// <param name="kind">Which.</param>
    /// <param name="shape">How the value is written.</param>
    /// <param name="value">The payload.</param>
    /// <param name="descriptors">They stay the caller's; the stream must be an <see cref="IDescriptorStream"/>.</param>
    /// <exception cref="MigrateException"><see cref="ErrorCode.TooLarge"/>: beyond the kind's limit; nothing was sent.</exception>
    public void Send<T>(FrameKind kind, Shape<T> shape, T value, ReadOnlySpan<SafeHandle> descriptors)
    {
        _sending.Clear();
        MessagePackEncoding.Encode(shape, value, _sending);
        SendPayload(kind, _sending.Written, descriptors);
        _sending.Trim();
    }

    /// <summary>Sends a frame whose payload is already encoded.</summary>
    /// <exception cref="MigrateException"><see cref="ErrorCode.TooLarge"/>: beyond the kind's limit; nothing was sent.</exception>
    public void SendEncoded(FrameKind kind, ReadOnlySpan<byte> payload) => SendPayload(kind, payload, []);

    /// <summary>Tells the peer of a failure; the peer's next receive throws it.</summary>
    public void SendError(MigrateException error) => Send(FrameKind.Error, ErrorMessage.Shape, ErrorMessage.Of(error));

    /// <summary>Tells the peer of a failure if it still listens; for a connection that is about to be closed.</summary>
    public void TrySendError(MigrateException error)
    {
        try
        {
            if (!_sendBroken) SendError(error);
        }
        catch (MigrateException)
        {
            // The connection is closed for another reason already, and that one is reported.
        }
    }

    /// <summary>Sends a page frame: its table, which the checksum covers, then ranges of mapped memory, neither copied nor read by managed code.</summary>
    /// <param name="kind">Which.</param>
    /// <param name="table">The table's bytes, pinned or unmanaged.</param>
    /// <param name="vectors">Room for two vectors that this method fills, then the pages.</param>
    /// <param name="pageBytes">Bytes of all page vectors together.</param>
    internal void SendPages(FrameKind kind, ReadOnlySpan<byte> table, Span<IoVector> vectors, long pageBytes)
    {
        var header = new FrameHeader(kind, FrameFlags.None, 0, table.Length + pageBytes, Crc32C.Of(table));
        BeginSend();
        header.CopyTo(_sendHeader);
        fixed (byte* head = _sendHeader, first = table)
        {
            vectors[0] = new IoVector((nint)head, FrameHeader.Size);
            vectors[1] = new IoVector((nint)first, table.Length);
            _stream.WriteVector(vectors);
        }
        _sent += FrameHeader.Size + header.Length;
        _sendBroken = false;
    }

    /// <summary>Ends both directions at once, from any thread and at any time.</summary>
    public void Abort()
    {
        _sendBroken = true;
        _receiveBroken = true;
        lock (_closing)
            if (!_closed) _stream.Abort();
    }

    /// <summary>Closes the stream. No other thread may be sending or receiving; <see cref="Abort"/> ends those.</summary>
    public void Dispose()
    {
        lock (_closing)
        {
            if (_closed) return;
            _closed = true;
        }
        _sendBroken = true;
        _receiveBroken = true;
        _stream.Dispose();
        _sending.Dispose();
        _receiving.Dispose();
    }

    private void SendPayload(FrameKind kind, ReadOnlySpan<byte> payload, ReadOnlySpan<SafeHandle> descriptors)
    {
        var rule = FrameTable.Of(kind);
        if (payload.Length > rule.MaxPayload)
            throw new MigrateException(ErrorCode.TooLarge, $"the {rule.Name} frame for {Name} would have {payload.Length} bytes; its limit is {rule.MaxPayload}");
        ArgumentOutOfRangeException.ThrowIfGreaterThan(descriptors.Length, rule.MaxDescriptors, nameof(descriptors));
        var header = new FrameHeader(kind, kind == FrameKind.Alive ? FrameFlags.Optional : FrameFlags.None, descriptors.Length, payload.Length, Crc32C.Of(payload));
        BeginSend();
        header.CopyTo(_sendHeader);
        if (!descriptors.IsEmpty)
        {
            // Apart, so that the descriptors are attached to the payload's first byte, when the peer knows how many to expect.
            _stream.Write(_sendHeader);
            ((IDescriptorStream)_stream).Write(payload, descriptors);
        }
        else
        {
            fixed (byte* head = _sendHeader, body = payload)
                _stream.WriteVector([new IoVector((nint)head, FrameHeader.Size), new IoVector((nint)body, payload.Length)]);
        }
        _sent += FrameHeader.Size + payload.Length;
        _sendBroken = false;
    }

    /// <summary>Broken until the frame is whole: every way out but the last line of a send leaves it so.</summary>
    private void BeginSend()
    {
        if (_sendBroken) throw Ended();
        _sendBroken = true;
    }

    private void BeginReceive()
    {
        if (_receiveBroken) throw Ended();
        _receiveBroken = true;
    }

    private MigrateException Ended() => new(ErrorCode.PeerLost, $"the connection to {Name} was ended by an earlier error");
}
