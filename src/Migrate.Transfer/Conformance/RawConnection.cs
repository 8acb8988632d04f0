using Migrate.Linux.Sockets;
using Migrate.Transfer.Machines;
using Migrate.Transfer.Wire;

namespace Migrate.Transfer.Conformance;

/// <summary>A connection of which every byte can be chosen.</summary>
internal sealed class RawConnection : IDisposable
{
    // More than any error frame; who goes on sending after that does not end the connection.
    private const int MostLastWords = 1 << 20;

    private readonly UnixSocket _socket;

    public RawConnection(string path, TimeSpan patience, bool greet)
    {
        _socket = UnixSocket.Connect(path, patience);
        try
        {
            _socket.RequireTrustedPeer();
            Channel = new FrameChannel(new UnixByteStream(_socket), StreamPurpose.Machine) { IdleTimeout = patience };
            if (greet) Channel.ExchangePreambles();
        }
        catch
        {
            _socket.Dispose();
            throw;
        }
    }

    public MachineStatus Status()
    {
        Channel.Request(() => Channel.Send(FrameKind.Status));
        return Channel.Expect(FrameKind.MachineStatus, MachineMessages.Status);
    }

    public UnixSocket Socket => _socket;

    public FrameChannel Channel { get; }

    /// <summary>A frame as bytes, right in all but what the caller spoils.</summary>
    public static byte[] Frame(FrameKind kind, ReadOnlySpan<byte> payload = default, FrameFlags flags = FrameFlags.None)
    {
        var bytes = new byte[FrameHeader.Size + payload.Length];
        new FrameHeader(kind, flags, 0, payload.Length, Crc32C.Of(payload)).CopyTo(bytes);
        payload.CopyTo(bytes.AsSpan(FrameHeader.Size));
        return bytes;
    }

    /// <summary>A header whose checksum fits, whatever else it says.</summary>
    public static byte[] Header(FrameKind kind, long length, uint checksum = 0, int descriptors = 0, Action<byte[]>? spoil = null)
    {
        var bytes = new byte[FrameHeader.Size];
        new FrameHeader(kind, FrameFlags.None, descriptors, length, checksum).CopyTo(bytes);
        if (spoil is null) return bytes;
        spoil(bytes);
        BitConverter.TryWriteBytes(bytes.AsSpan(20), Crc32C.Of(bytes.AsSpan(0, 20)));
        return bytes;
    }

    /// <summary>Sends bytes after which the server must close the connection; last words are allowed.</summary>
    /// <param name="what">What the bytes are, for the message.</param>
    /// <param name="send">Sends them.</param>
    /// <param name="within">How long it may take; null for the connection's patience.</param>
    public void RequireClosed(string what, Action<UnixSocket> send, TimeSpan? within = null)
    {
        try
        {
            send(_socket);
            if (within is { } time) _socket.ReceiveTimeout = time;
            Span<byte> words = stackalloc byte[4096];
            for (var left = MostLastWords; left > 0;)
            {
                var received = _socket.Receive(words);
                if (received == 0) return;
                left -= received;
            }
        }
        catch (PeerLostException)
        {
            // Closed with bytes of ours unread, which the kernel calls a reset.
            return;
        }
        catch (PeerTimedOutException)
        {
            // Told below.
        }
        throw new BrokenPromiseException($"{what} did not close the connection");
    }

    public void Dispose() => Channel.Dispose();
}
