using System.Buffers.Binary;
using Migrate.Transfer.Wire;

namespace Migrate.Transfer.Pages;

/// <summary>A range of pages of one slot.</summary>
/// <param name="Slot">Slot number.</param>
/// <param name="Count">How many pages; at least 1.</param>
/// <param name="First">Number of the first page within the slot.</param>
public readonly record struct PageRun(int Slot, uint Count, ulong First)
{
    /// <summary>Bytes of a run in a table.</summary>
    public const int Size = 16;

    internal static PageRun Read(ReadOnlySpan<byte> bytes) => new(
        BinaryPrimitives.ReadInt32LittleEndian(bytes),
        BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]),
        BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]));

    internal void CopyTo(Span<byte> bytes)
    {
        BinaryPrimitives.WriteInt32LittleEndian(bytes, Slot);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[4..], Count);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], First);
    }
}

/// <summary>The head of a page frame: page size u32, number of runs u32, then the runs; little-endian.</summary>
internal static class PageTable
{
    /// <summary>Bytes before the first run.</summary>
    public const int HeadSize = 8;

    /// <summary>Bytes of the largest table.</summary>
    public const int MaxSize = HeadSize + FrameTable.MaxRuns * PageRun.Size;
}
