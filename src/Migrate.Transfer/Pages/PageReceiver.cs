using System.Buffers.Binary;
using Migrate.Linux.Memory;
using Migrate.Model.Errors;
using Migrate.Transfer.Wire;

namespace Migrate.Transfer.Pages;

/// <summary>Receives pages straight into mapped memory. A whole table is judged before its first page is written.</summary>
public sealed class PageReceiver
{
    private readonly FrameChannel _channel;
    private readonly MappedMemory _memory;
    private readonly int _pageSize;
    private readonly byte[] _table = GC.AllocateArray<byte>(PageTable.MaxSize, pinned: true);

    /// <summary>A receiver of a machine's pages.</summary>
    /// <param name="channel">Where from.</param>
    /// <param name="memory">The incoming machine's memory, mapped for writing.</param>
    /// <param name="pageSize">Bytes of a page of this session: 4, 16 or 64 KiB; the destination host's pages may have another size.</param>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Malformed"/>: a slot is not made of such pages.</exception>
    public PageReceiver(FrameChannel channel, MappedMemory memory, int pageSize)
    {
        foreach (var slot in memory.Slots)
        {
            _ = DirtyBitmap.PagesOf(slot.Slot, pageSize);
            if (slot.Mapping.Access != MappingAccess.ReadWrite) throw new ArgumentException($"{slot.Mapping.Name} is mapped for reading only", nameof(memory));
        }
        (_channel, _memory, _pageSize) = (channel, memory, pageSize);
    }

    /// <summary>Whether a frame is one of pages.</summary>
    public static bool Takes(FrameKind kind) => kind is FrameKind.Pages or FrameKind.ZeroPages;

    /// <summary>Receives the payload of a page frame whose header was received.</summary>
    /// <param name="header">For which <see cref="Takes"/> holds.</param>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Protocol"/>: the table is damaged, or names memory that does not exist;
    /// nothing was written, and receiving is broken.</exception>
    public PageCounts Receive(FrameHeader header)
    {
        if (!Takes(header.Kind)) throw _channel.Unexpected(header.Kind, "pages");
        var runs = ReceiveTable(header);
        if (header.Kind == FrameKind.ZeroPages) return Clear(runs) + new PageCounts(0, 0, FrameHeader.Size + header.Length);
        var pages = 0L;
        for (var i = 0; i < runs; i++)
        {
            var run = Run(i);
            ReceivePages(run);
            pages += run.Count;
        }
        return new PageCounts(pages, 0, FrameHeader.Size + header.Length);
    }

    private int ReceiveTable(FrameHeader header)
    {
        if (header.Length < PageTable.HeadSize) throw _channel.Broken("is too short for a table of pages");
        _channel.ReceiveInto(_table.AsSpan(0, PageTable.HeadSize));
        var pageSize = BinaryPrimitives.ReadUInt32LittleEndian(_table);
        var runs = BinaryPrimitives.ReadUInt32LittleEndian(_table.AsSpan(4));
        if (pageSize != (uint)_pageSize) throw _channel.Broken($"has pages of {pageSize} bytes; the session's have {_pageSize}");
        if (runs is 0 or > FrameTable.MaxRuns) throw _channel.Broken($"claims {runs} runs; 1 to {FrameTable.MaxRuns} are possible");
        var tableBytes = PageTable.HeadSize + (int)runs * PageRun.Size;
        if (header.Length < tableBytes) throw _channel.Broken($"is too short for {runs} runs");
        _channel.ReceiveInto(_table.AsSpan(PageTable.HeadSize, tableBytes - PageTable.HeadSize));
        if (Crc32C.Of(_table.AsSpan(0, tableBytes)) != header.PayloadChecksum) throw _channel.Broken("is damaged: its table's checksum does not fit");

        var pages = 0UL;
        for (var i = 0; i < (int)runs; i++)
        {
            var run = Run(i);
            if (!_memory.TryFind(run.Slot, out var slot)) throw _channel.Broken($"names memory slot {run.Slot}, which the machine does not have");
            var all = slot.Slot.Size / (ulong)_pageSize;
            if (run.Count == 0 || run.First >= all || run.Count > all - run.First)
                throw _channel.Broken($"names {run.Count} pages from page {run.First} on in slot {run.Slot}, which has {all}");
            pages += run.Count;
        }
        var expected = header.Kind == FrameKind.ZeroPages ? (ulong)tableBytes : (ulong)tableBytes + pages * (ulong)_pageSize;
        if (expected != (ulong)header.Length) throw _channel.Broken($"has {header.Length} bytes where its table needs {expected}");
        return (int)runs;
    }

    private PageRun Run(int index) => PageRun.Read(_table.AsSpan(PageTable.HeadSize + index * PageRun.Size));

    private unsafe void ReceivePages(PageRun run)
    {
        _memory.TryFind(run.Slot, out var slot);
        _channel.ReceiveInto(slot.Mapping.Pointer + (nint)run.First * _pageSize, (nint)run.Count * _pageSize);
        GC.KeepAlive(slot.Mapping);
    }

    private PageCounts Clear(int runs)
    {
        var pages = 0L;
        for (var i = 0; i < runs; i++)
        {
            var run = Run(i);
            _memory.TryFind(run.Slot, out var slot);
            // Frees whole pages of this host and zeroes the parts of others, whatever their size is.
            slot.File.PunchHole((long)run.First * _pageSize, (long)run.Count * _pageSize);
            pages += run.Count;
        }
        return new PageCounts(0, pages, 0);
    }
}
