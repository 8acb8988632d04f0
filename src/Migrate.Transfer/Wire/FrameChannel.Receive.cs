using Migrate.Linux;
using Migrate.Model.Encoding;
using Migrate.Model.Errors;

namespace Migrate.Transfer.Wire;

public sealed unsafe partial class FrameChannel
{
    /// <summary>Receives the next header, skipping optional frames that this build does not know and <see cref="FrameKind.Alive"/>.</summary>
    /// <returns>A header whose length is within its kind's limit; its payload must be received before the next header.</returns>
    /// <exception cref="PeerErrorException">The peer sent an <see cref="FrameKind.Error"/> frame; the channel still stands.</exception>
    /// <exception cref="MigrateException">The stream ended, or what came is no frame; receiving is broken.</exception>
    public FrameHeader ReceiveHeader()
    {
        if (_unread != 0 && !_receiveBroken) throw new InvalidOperationException($"{_unread} bytes of the {FrameTable.NameOf(_pending.Kind)} payload are unread");
        while (true)
        {
            BeginReceive();
            var offset = _received;
            _stream.ReadExactly(_receiveHeader);
            _received += FrameHeader.Size;
            _pending = FrameHeader.Read(_receiveHeader, Name, offset, out var known);
            if (known) _unread = _pending.Length;
            else Skip(_pending.Length);
            _receiveBroken = false;
            if (!known || _pending.Kind == FrameKind.Alive) continue;
            if (_pending.Kind == FrameKind.Error) throw Decode(ErrorMessage.Shape, ReceivePayload([])).ToException(Name);
            return _pending;
        }
    }

    /// <summary>Receives a whole structured frame.</summary>
    /// <exception cref="PeerErrorException">The peer sent an error.</exception>
    /// <exception cref="MigrateException">The stream ended, or what came is no such frame; receiving is broken.</exception>
    public Frame Receive() => Receive([], out _);

    /// <summary>Receives a whole structured frame and the descriptors that came with it.</summary>
    /// <param name="descriptors">Room for as many as are expected; those filled are the caller's to close.</param>
    /// <param name="count">How many came.</param>
    /// <exception cref="PeerErrorException">The peer sent an error.</exception>
    /// <exception cref="MigrateException">As above, and <see cref="ErrorCode.Protocol"/> when more descriptors come than expected.</exception>
    public Frame Receive(Span<FileDescriptor?> descriptors, out int count)
    {
        var header = ReceiveHeader();
        count = header.Descriptors;
        var payload = ReceivePayload(descriptors);
        return new Frame(this, header.Kind, payload);
    }

    /// <summary>Receives the payload of a structured frame whose header was received.</summary>
    /// <returns>The payload as a frame, valid until the next receive.</returns>
    public Frame ReceiveRest(FrameHeader header) => new(this, header.Kind, ReceivePayload([]));

    /// <summary>Receives a frame that must be of one kind, and decodes it.</summary>
    /// <exception cref="PeerErrorException">The peer sent an error.</exception>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Protocol"/>: a frame of another kind, or damaged; receiving is broken.</exception>
    public T Expect<T>(FrameKind kind, Shape<T> shape) => ExpectFrame(kind).Decode(shape);

    /// <summary>Receives a frame without payload that must be of one kind.</summary>
    /// <exception cref="PeerErrorException">The peer sent an error.</exception>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Protocol"/>: a frame of another kind, or damaged; receiving is broken.</exception>
    public void Expect(FrameKind kind) => ExpectFrame(kind);

    /// <summary>The error for a frame that has no place here; receiving is broken.</summary>
    public MigrateException Unexpected(FrameKind kind, string expected)
    {
        _receiveBroken = true;
        return new MigrateException(ErrorCode.Protocol, $"{Name} sent {FrameTable.NameOf(kind)} where {expected} was expected");
    }

    /// <summary>Receives part of the payload straight into memory that the garbage collector does not move.</summary>
    internal void ReceiveInto(byte* pointer, nint length)
    {
        if (length > _unread) throw new InvalidOperationException("more than the frame's payload was asked for");
        BeginReceive();
        _stream.ReadExactly(pointer, length);
        _received += length;
        _unread -= length;
        _receiveBroken = false;
    }

    /// <summary>Receives part of the payload.</summary>
    internal void ReceiveInto(Span<byte> buffer)
    {
        fixed (byte* pointer = buffer) ReceiveInto(pointer, buffer.Length);
    }

    /// <summary>The error for a payload that breaks the rules; receiving is broken.</summary>
    internal MigrateException Broken(string reason)
    {
        _receiveBroken = true;
        return new MigrateException(
            ErrorCode.Protocol,
            $"the {FrameTable.NameOf(_pending.Kind)} frame of {Name} that ends before offset {_received + _unread} {reason}");
    }

    internal T Decode<T>(Shape<T> shape, ReadOnlySpan<byte> payload)
    {
        try
        {
            return MessagePackEncoding.Decode(shape, payload);
        }
        catch (MigrateException e)
        {
            _receiveBroken = true;
            throw new MigrateException(e.Code, $"the {FrameTable.NameOf(_pending.Kind)} frame of {Name} that ends at offset {_received}: {e.Message}", e) { Remedy = e.Remedy };
        }
    }

    private Frame ExpectFrame(FrameKind kind)
    {
        var header = ReceiveHeader();
        if (header.Kind != kind) throw Unexpected(header.Kind, FrameTable.NameOf(kind));
        return ReceiveRest(header);
    }

    private ReadOnlySpan<byte> ReceivePayload(Span<FileDescriptor?> descriptors)
    {
        BeginReceive();
        var taken = 0;
        try
        {
            var length = _pending.Length;
            if (FrameTable.Of(_pending.Kind).Check != PayloadCheck.Whole)
                throw new MigrateException(ErrorCode.Protocol, $"{Name} sent {FrameTable.NameOf(_pending.Kind)} where no pages were expected");
            if (_pending.Descriptors > descriptors.Length)
                throw new MigrateException(ErrorCode.Protocol, $"{Name} sent {FrameTable.NameOf(_pending.Kind)} with {_pending.Descriptors} descriptors; {descriptors.Length} were expected");
            _receiving.Clear();
            // The buffer grows with what has come, not with what was promised.
            while (_unread > 0)
            {
                var part = _receiving.GetSpan(1);
                part = part[..(int)Math.Min(part.Length, _unread)];
                if (_unread == length && _pending.Descriptors > 0)
                    taken = ReceiveDescriptors(part, descriptors[.._pending.Descriptors]);
                else
                    _stream.ReadExactly(part);
                _receiving.Advance(part.Length);
                _unread -= part.Length;
                _received += part.Length;
            }
            if (Crc32C.Of(_receiving.Written) != _pending.PayloadChecksum)
                throw new MigrateException(ErrorCode.Protocol, $"the {FrameTable.NameOf(_pending.Kind)} frame of {Name} that ends at offset {_received} is damaged: its payload's checksum does not fit");
            _receiveBroken = false;
            return _receiving.Written;
        }
        catch
        {
            for (var i = 0; i < taken; i++) descriptors[i]?.Dispose();
            throw;
        }
    }

    private int ReceiveDescriptors(Span<byte> part, Span<FileDescriptor?> descriptors)
    {
        if (_stream is not IDescriptorStream stream)
            throw new MigrateException(ErrorCode.Protocol, $"{Name} announced descriptors, which cannot travel here");
        var came = stream.ReadExactly(part, descriptors);
        if (came == descriptors.Length) return came;
        for (var i = 0; i < came; i++) descriptors[i]?.Dispose();
        throw new MigrateException(ErrorCode.Protocol, $"{Name} announced {descriptors.Length} descriptors and sent {came}");
    }

    private void Skip(long bytes)
    {
        Span<byte> waste = stackalloc byte[512];
        for (var left = bytes; left > 0;)
        {
            var part = waste[..(int)Math.Min(left, waste.Length)];
            _stream.ReadExactly(part);
            _received += part.Length;
            left -= part.Length;
        }
    }
}

/// <summary>A received structured frame. Its payload is valid until the channel's next receive.</summary>
public readonly ref struct Frame
{
    private readonly FrameChannel _channel;

    internal Frame(FrameChannel channel, FrameKind kind, ReadOnlySpan<byte> payload)
    {
        _channel = channel;
        Kind = kind;
        Payload = payload;
    }

    /// <summary>What it is.</summary>
    public FrameKind Kind { get; }

    /// <summary>The encoded payload, its checksum verified.</summary>
    public ReadOnlySpan<byte> Payload { get; }

    /// <summary>Decodes the payload.</summary>
    /// <exception cref="MigrateException">It is not of that shape; receiving is broken.</exception>
    public T Decode<T>(Shape<T> shape) => _channel.Decode(shape, Payload);
}
