using Microsoft.Win32.SafeHandles;
using Migrate.Linux.Sockets;
using Migrate.Model.Errors;

namespace Migrate.Transfer.Wire;

/// <summary>A file as a byte stream: written or read from a position onward. Snapshots are frames in such a file.</summary>
/// <remarks>Only pread and pwrite: storage that fails gives an error instead of a signal.</remarks>
public sealed unsafe class FileByteStream : IByteStream
{
    // RandomAccess takes spans, whose length is an int.
    private const int LongestCall = 1 << 30;
    private readonly SafeFileHandle _file;
    private volatile bool _aborted;

    /// <summary>A stream over a file.</summary>
    /// <param name="file">Owned by the stream.</param>
    /// <param name="name">Its path, for messages.</param>
    /// <param name="position">Where the next read or write begins.</param>
    public FileByteStream(SafeFileHandle file, string name, long position = 0)
    {
        _file = file;
        Name = name;
        Position = position;
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <summary>Where the next read or write begins, in bytes.</summary>
    public long Position { get; set; }

    /// <summary>Kept, and without effect: a file does not wait for a peer.</summary>
    public TimeSpan IdleTimeout { get; set; } = Timeout.InfiniteTimeSpan;

    /// <inheritdoc/>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        ThrowIfAborted();
        try
        {
            RandomAccess.Write(_file, bytes, Position);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new MigrateException(ErrorCode.System, $"writing {Name} at offset {Position}: {e.Message}", e);
        }
        Position += bytes.Length;
    }

    /// <inheritdoc/>
    public void WriteVector(ReadOnlySpan<IoVector> vectors)
    {
        foreach (var vector in vectors)
            for (nint done = 0; done < vector.Length;)
            {
                var part = (int)Math.Min(vector.Length - done, LongestCall);
                Write(new ReadOnlySpan<byte>((byte*)vector.Address + done, part));
                done += part;
            }
    }

    /// <inheritdoc/>
    public void ReadExactly(Span<byte> buffer)
    {
        fixed (byte* pointer = buffer) ReadExactly(pointer, buffer.Length);
    }

    /// <inheritdoc/>
    public void ReadExactly(byte* pointer, nint length)
    {
        ThrowIfAborted();
        for (nint done = 0; done < length;)
        {
            int read;
            try
            {
                read = RandomAccess.Read(_file, new Span<byte>(pointer + done, (int)Math.Min(length - done, LongestCall)), Position);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
            {
                throw new MigrateException(ErrorCode.System, $"reading {Name} at offset {Position}: {e.Message}", e);
            }
            if (read == 0)
                throw new MigrateException(ErrorCode.Malformed, $"{Name} ends at offset {Position}, {length - done} bytes too early");
            done += read;
            Position += read;
        }
    }

    /// <inheritdoc/>
    public void Abort() => _aborted = true;

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private void ThrowIfAborted()
    {
        if (_aborted) throw new MigrateException(ErrorCode.Cancelled, $"{Name} was aborted at offset {Position}");
    }
}
