using System.Runtime.InteropServices;
using Migrate.Linux;
using Migrate.Linux.Sockets;

namespace Migrate.Transfer.Wire;

/// <summary>A TCP connection, or any other stream socket without descriptors, as a byte stream.</summary>
/// <param name="socket">Owned by the stream.</param>
public sealed unsafe class TcpByteStream(StreamSocket socket) : IByteStream
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
    public void Dispose() => socket.Dispose();
}

/// <summary>A Unix socket as a byte stream that carries descriptors.</summary>
/// <param name="socket">Owned by the stream.</param>
public sealed unsafe class UnixByteStream(UnixSocket socket) : IDescriptorStream
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
    public void Write(ReadOnlySpan<byte> bytes, ReadOnlySpan<SafeHandle> descriptors) => socket.Send(bytes, descriptors);

    /// <inheritdoc/>
    public void ReadExactly(Span<byte> buffer) => socket.ReceiveExactly(buffer);

    /// <inheritdoc/>
    public void ReadExactly(byte* pointer, nint length) => socket.ReceiveExactly(pointer, length);

    /// <inheritdoc/>
    public int ReadExactly(Span<byte> buffer, Span<FileDescriptor?> descriptors) => socket.ReceiveExactly(buffer, descriptors);

    /// <inheritdoc/>
    public void Abort() => socket.Abort();

    /// <inheritdoc/>
    public void Dispose() => socket.Dispose();
}
