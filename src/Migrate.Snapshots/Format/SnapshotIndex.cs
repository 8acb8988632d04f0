using System.Buffers.Binary;
using System.Security.Cryptography;
using Migrate.Model;
using Migrate.Model.Encoding;
using Migrate.Model.Errors;

namespace Migrate.Snapshots.Format;

/// <summary>One page frame of the file.</summary>
/// <param name="Offset">Where its header begins.</param>
/// <param name="Pages">How many pages it holds.</param>
/// <param name="Checksum">CRC-32C of those pages, in the order of the frame: unlike a move's, they were copied before they were summed.</param>
internal readonly record struct PageFrame(long Offset, uint Pages, uint Checksum)
{
    public const int Size = 16;

    public static PageFrame Read(ReadOnlySpan<byte> bytes) => new(
        BinaryPrimitives.ReadInt64LittleEndian(bytes),
        BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]),
        BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]));

    public void CopyTo(Span<byte> bytes)
    {
        BinaryPrimitives.WriteInt64LittleEndian(bytes, Offset);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[8..], Pages);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[12..], Checksum);
    }
}

/// <summary>The frame behind the pages: where they are, and the digest of everything before it.</summary>
internal sealed record SnapshotIndex
{
    // A binary of MessagePack has at most 16 MiB here, a frame 64.
    private const int FramesAPart = (1 << 24) / PageFrame.Size;
    private const int MostParts = 3;

    /// <summary>SHA-256 of the file from its first byte to the last before this frame.</summary>
    public required EquatableArray<byte> Sha256 { get; init; }

    public required long StoredPages { get; init; }

    /// <summary>Pages that are not stored because they are zero.</summary>
    public required long ZeroPages { get; init; }

    /// <summary>The page frames in the order of the file.</summary>
    public required PageFrame[] Frames { get; init; }

    public static Shape<SnapshotIndex> Shape { get; } = Declare();

    private static Shape<SnapshotIndex> Declare()
    {
        var record = new RecordShape<SnapshotIndex>("SnapshotIndex", "Where the pages of a snapshot are.");
        var sha256 = record.Required("sha256", Shapes.Bytes(SHA256.HashSizeInBytes), i => i.Sha256, "Digest of everything before this frame.");
        var stored = record.Required("storedPages", Shapes.Int64, i => i.StoredPages, "Pages that the file holds.");
        var zero = record.Required("zeroPages", Shapes.Int64, i => i.ZeroPages, "Pages that are zero and not stored.");
        var frames = record.Required(
            "frames",
            Shapes.List(Shapes.Bytes(FramesAPart * PageFrame.Size), MostParts),
            i => Parts(i.Frames),
            "Page frames, 16 bytes each: offset u64, pages u32, CRC-32C of the pages u32; little-endian, every part but the last one full.");
        record.Rule(i => i.Sha256.Count == SHA256.HashSizeInBytes ? null : $"sha256 has {i.Sha256.Count} bytes");
        return record.Build(v => new SnapshotIndex
        {
            Sha256 = v.Get(sha256),
            StoredPages = v.Get(stored),
            ZeroPages = v.Get(zero),
            Frames = Join(v.Get(frames)),
        });
    }

    private static EquatableArray<EquatableArray<byte>> Parts(PageFrame[] frames) => frames.Chunk(FramesAPart).Select(part =>
    {
        var bytes = new byte[part.Length * PageFrame.Size];
        for (var i = 0; i < part.Length; i++) part[i].CopyTo(bytes.AsSpan(i * PageFrame.Size));
        return EquatableArray.Create<byte>(bytes);
    }).ToEquatableArray();

    private static PageFrame[] Join(EquatableArray<EquatableArray<byte>> parts)
    {
        var count = 0;
        for (var i = 0; i < parts.Count; i++)
        {
            var isRight = i < parts.Count - 1 ? parts[i].Count == FramesAPart * PageFrame.Size : parts[i].Count > 0 && parts[i].Count % PageFrame.Size == 0;
            if (!isRight) throw new MigrateException(ErrorCode.Malformed, $"part {i} of the frames has {parts[i].Count} bytes");
            count += parts[i].Count / PageFrame.Size;
        }
        var frames = new PageFrame[count];
        for (var i = 0; i < count; i++) frames[i] = PageFrame.Read(parts[i / FramesAPart].Span[(i % FramesAPart * PageFrame.Size)..]);
        return frames;
    }
}
