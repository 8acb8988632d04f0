using System.Security.Cryptography;
using Migrate.Linux.Sockets;
using Migrate.Transfer.Wire;

namespace Migrate.Snapshots.Format;

/// <summary>Writes bytes at a position of the file that a snapshot is written to.</summary>
internal delegate void PositionalWrite(long offset, ReadOnlySpan<byte> bytes);

/// <summary>What a <see cref="FrameChannel"/> writes a snapshot through: digests every byte and notes every page frame.</summary>
/// <remarks>A frame of pages is copied first; then the copy is summed and written, so that a file is right even if the memory behind it is not at rest.</remarks>
internal sealed unsafe class SnapshotOutput : IByteStream
{
    private const int LargestPageFrame = FrameHeader.Size + (16 << 10) + FrameTable.MaxPageBytes;
    private readonly PositionalWrite _write;
    private readonly int _pageSize;
    private readonly IncrementalHash _digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] _copy = new byte[LargestPageFrame];

    public SnapshotOutput(PositionalWrite write, string name, int pageSize) => (_write, Name, _pageSize) = (write, name, pageSize);

    public string Name { get; }

    /// <summary>Bytes written so far.</summary>
    public long Position { get; private set; }

    /// <summary>The page frames written so far.</summary>
    public List<PageFrame> Frames { get; } = [];

    public TimeSpan IdleTimeout { get; set; } = Timeout.InfiniteTimeSpan;

    /// <summary>SHA-256 of everything written so far.</summary>
    public byte[] Digest() => _digest.GetCurrentHash();

    public void Write(ReadOnlySpan<byte> bytes)
    {
        _digest.AppendData(bytes);
        _write(Position, bytes);
        Position += bytes.Length;
    }

    /// <summary>One frame: header, then payload or table, then pages.</summary>
    public void WriteVector(ReadOnlySpan<IoVector> vectors)
    {
        if (vectors.Length <= 2)
        {
            foreach (var vector in vectors) Write(new ReadOnlySpan<byte>((void*)vector.Address, checked((int)vector.Length)));
            return;
        }
        var (length, pages) = (0, 0);
        for (var i = 0; i < vectors.Length; i++)
        {
            if (i == 2) pages = length;
            var part = new ReadOnlySpan<byte>((void*)vectors[i].Address, checked((int)vectors[i].Length));
            part.CopyTo(_copy.AsSpan(length));
            length += part.Length;
        }
        var content = _copy.AsSpan(pages, length - pages);
        Frames.Add(new PageFrame(Position, (uint)(content.Length / _pageSize), Crc32C.Of(content)));
        Write(_copy.AsSpan(0, length));
    }

    public void ReadExactly(Span<byte> buffer) => throw new NotSupportedException();

    public void ReadExactly(byte* pointer, nint length) => throw new NotSupportedException();

    public void Abort()
    {
    }

    public void Dispose() => _digest.Dispose();
}
