using System.Runtime.InteropServices;
using Migrate.Linux;
using Migrate.Linux.Sockets;

namespace Migrate.Transfer.Wire;

/// <summary>A socket as a byte stream.</summary>
/// <param name="socket">Owned by the stream.</param>
public abstract unsafe class SocketByteStream(StreamSocket socket) : IByteStream
{
    /// <inheritdoc/>
    public string Name => socket.PeerName;

    /// <inheritdoc/>
    public TimeSpan IdleTimeout
    {
        get => socket.ReceiveTimeout;
        set
        {
            socket.ReceiveTimeout = value;
            socket.SendTimeout = value;
        }
    }

    /// <inheritdoc/>
    public void Write(ReadOnlySpan<byte> bytes) => socket.SendAll(bytes);

    /// <inheritdoc/>
    public void WriteVector(ReadOnlySpan<IoVector> vectors) => socket.SendVector(vectors);

    /// <inheritdoc/>
    public void ReadExactly(Span<byte> buffer) => socket.ReceiveExactly(buffer);

    /// <inheritdoc/>
    public void ReadExactly(byte* pointer, nint length) => socket.ReceiveExactly(pointer, length);

    /// <inheritdoc/>
    public void Abort() => socket.Abort();

    /// <inheritdoc/>
    public void Dispose()
    {
        socket.Dispose();
        GC.SuppressFinalize(this);
    }
}

/// <summary>A TCP connection as a byte stream.</summary>
public sealed class TcpByteStream : SocketByteStream
{
    /// <summary>Wraps a connection.</summary>
    /// <param name="connection">Owned by the stream. Small frames leave at once from here on: a frame is one call, so there is nothing to wait for.</param>
    public TcpByteStream(TcpConnection connection)
        : base(connection) => connection.NoDelay = true;
}

/// <summary>A Unix socket as a byte stream that carries descriptors.</summary>
/// <param name="socket">Owned by the stream.</param>
public sealed class UnixByteStream(UnixSocket socket) : SocketByteStream(socket), IDescriptorStream
{
    private readonly UnixSocket _socket = socket;

    /// <inheritdoc/>
    public void Write(ReadOnlySpan<byte> bytes, ReadOnlySpan<SafeHandle> descriptors) => _socket.Send(bytes, descriptors);

    /// <inheritdoc/>
    public int ReadExactly(Span<byte> buffer, Span<FileDescriptor?> descriptors) => _socket.ReceiveExactly(buffer, descriptors);
}
