using System.Runtime.InteropServices;
using Migrate.Linux;
using Migrate.Linux.Sockets;
using Migrate.Model.Errors;

namespace Migrate.Transfer.Wire;

/// <summary>Bytes to and from one peer or file, blocking. One thread may write while another reads; <see cref="Abort"/> comes from any thread.</summary>
/// <remarks>Every member that moves bytes throws <see cref="MigrateException"/> and nothing else when the other end misbehaves or leaves.</remarks>
public unsafe interface IByteStream : IDisposable
{
    /// <summary>Who or what is at the other end, for messages.</summary>
    string Name { get; }

    /// <summary>How long a read or write waits for the other end to move one more byte; infinite at first.</summary>
    TimeSpan IdleTimeout { get; set; }

    /// <summary>Writes every byte.</summary>
    void Write(ReadOnlySpan<byte> bytes);

    /// <summary>Writes every byte of every range in order, straight from memory that the garbage collector does not move.</summary>
    void WriteVector(ReadOnlySpan<IoVector> vectors);

    /// <summary>Fills the span.</summary>
    /// <exception cref="MigrateException"><see cref="ErrorCode.PeerLost"/>: the stream ended before the last byte.</exception>
    void ReadExactly(Span<byte> buffer);

    /// <summary>Fills memory that the garbage collector does not move, such as mapped guest memory.</summary>
    /// <exception cref="MigrateException"><see cref="ErrorCode.PeerLost"/>: the stream ended before the last byte.</exception>
    void ReadExactly(byte* pointer, nint length);

    /// <summary>Ends both directions at once; a read or write blocked in another thread ends with an error.</summary>
    void Abort();
}

/// <summary>A stream that can carry file descriptors beside its bytes: a Unix socket.</summary>
public interface IDescriptorStream : IByteStream
{
    /// <summary>Writes every byte, with descriptors attached to the first of them.</summary>
    /// <param name="bytes">Not empty.</param>
    /// <param name="descriptors">They stay the caller's.</param>
    void Write(ReadOnlySpan<byte> bytes, ReadOnlySpan<SafeHandle> descriptors);

    /// <summary>Fills the span and takes the descriptors that came with its bytes.</summary>
    /// <param name="buffer">Not empty.</param>
    /// <param name="descriptors">One place for each descriptor that is expected; those filled are the caller's to close.</param>
    /// <returns>How many came; more than expected ends the connection.</returns>
    int ReadExactly(Span<byte> buffer, Span<FileDescriptor?> descriptors);
}
