using System.Buffers.Binary;
using Migrate.Transfer.Wire;

namespace Migrate.Snapshots.Format;

/// <summary>The last frame: of fixed size, so that a reader finds it from the file's end. Little-endian.</summary>
/// <param name="IndexOffset">Where the index frame begins.</param>
/// <param name="FileLength">Bytes of the whole file, this frame included.</param>
internal readonly record struct SnapshotEnd(long IndexOffset, long FileLength)
{
    /// <summary>Bytes of the payload.</summary>
    public const int PayloadSize = 16;

    /// <summary>Bytes of the frame.</summary>
    public const int FrameSize = FrameHeader.Size + PayloadSize;

    public static SnapshotEnd Read(ReadOnlySpan<byte> payload) =>
        new(BinaryPrimitives.ReadInt64LittleEndian(payload), BinaryPrimitives.ReadInt64LittleEndian(payload[8..]));

    public void CopyTo(Span<byte> payload)
    {
        BinaryPrimitives.WriteInt64LittleEndian(payload, IndexOffset);
        BinaryPrimitives.WriteInt64LittleEndian(payload[8..], FileLength);
    }
}
