using System.Buffers.Binary;
using System.Security.Cryptography;
using Migrate.Transfer.Pages;
using Migrate.Transfer.Wire;

namespace Migrate.Snapshots.Format;

/// <summary>Reads page frames in the order of the file, into memory or, to verify, into nothing: the same code, so that both refuse the same.</summary>
internal sealed class PageScan
{
    /// <summary>Bytes of a table of one run.</summary>
    public const int SmallestTable = PageTable.HeadSize + PageRun.Size;

    private const int LargestRead = 64 << 10;
    private readonly FrameFile _file;
    private readonly SnapshotHead _head;
    private readonly MappedSlot[]? _memory;
    private readonly Dictionary<int, int> _slots = [];
    private readonly byte[] _table = new byte[PageTable.MaxSize];
    private readonly byte[] _scratch;
    private int _slot;
    private ulong _free;

    public PageScan(FrameFile file, SnapshotHead head, MappedMemory? memory)
    {
        (_file, _head) = (file, head);
        for (var i = 0; i < head.Memory.Count; i++) _slots[head.Memory[i].Slot] = i;
        if (memory is not null) _memory = [.. memory.Slots];
        _scratch = memory is null ? new byte[LargestRead] : [];
    }

    /// <summary>Reads the frame that the index names next.</summary>
    public void Read(ref long offset, PageFrame frame, long limit, IncrementalHash digest)
    {
        var header = _file.Header(offset, limit, digest, out _);
        if (header.Kind != FrameKind.Pages) throw _file.Broken(offset, $"{FrameTable.NameOf(header.Kind)} stands where pages belong");
        if (offset != frame.Offset) throw _file.Broken(offset, $"the index names the next pages at offset {frame.Offset}");
        var (runs, tableBytes) = ReadTable(offset, header, frame, digest);
        var position = offset + FrameHeader.Size + tableBytes;
        var checksum = 0U;
        for (var i = 0; i < runs; i++) ReadRun(Run(i), ref position, ref checksum, digest);
        if (checksum != frame.Checksum) throw _file.Broken(offset, "the pages are damaged: their checksum does not fit");
        offset = position;
    }

    private PageRun Run(int index) => PageRun.Read(_table.AsSpan(PageTable.HeadSize + index * PageRun.Size));

    private (int Runs, int TableBytes) ReadTable(long offset, FrameHeader header, PageFrame frame, IncrementalHash digest)
    {
        if (header.Length < SmallestTable) throw _file.Broken(offset, "the page frame is too short for a table");
        var at = offset + FrameHeader.Size;
        _file.Read(at, _table.AsSpan(0, PageTable.HeadSize), digest);
        var pageSize = BinaryPrimitives.ReadUInt32LittleEndian(_table);
        var runs = BinaryPrimitives.ReadUInt32LittleEndian(_table.AsSpan(4));
        if (pageSize != (uint)_head.PageSize) throw _file.Broken(offset, $"pages of {pageSize} bytes; the head says {_head.PageSize}");
        if (runs is 0 or > FrameTable.MaxRuns) throw _file.Broken(offset, $"{runs} runs of pages; 1 to {FrameTable.MaxRuns} are possible");
        var tableBytes = PageTable.HeadSize + (int)runs * PageRun.Size;
        if (header.Length != tableBytes + (long)frame.Pages * _head.PageSize)
            throw _file.Broken(offset, $"the frame has {header.Length} bytes, which {frame.Pages} pages in {runs} runs do not have");
        _file.Read(at + PageTable.HeadSize, _table.AsSpan(PageTable.HeadSize, tableBytes - PageTable.HeadSize), digest);
        if (Crc32C.Of(_table.AsSpan(0, tableBytes)) != header.PayloadChecksum) throw _file.Broken(offset, "the table of pages is damaged: its checksum does not fit");

        var pages = 0UL;
        for (var i = 0; i < (int)runs; i++)
        {
            Place(offset, Run(i));
            pages += Run(i).Count;
        }
        if (pages != frame.Pages) throw _file.Broken(offset, $"{pages} pages in its table; the index says {frame.Pages}");
        return ((int)runs, tableBytes);
    }

    /// <summary>Runs come in the order of memory, so that none overlaps another.</summary>
    private void Place(long offset, PageRun run)
    {
        if (!_slots.TryGetValue(run.Slot, out var slot)) throw _file.Broken(offset, $"pages of memory slot {run.Slot}, which the machine does not have");
        if (slot < _slot) throw _file.Broken(offset, $"pages of memory slot {run.Slot} behind those of a later one");
        if (slot > _slot) (_slot, _free) = (slot, 0);
        var all = _head.Memory[slot].Size / (ulong)_head.PageSize;
        if (run.Count == 0 || run.First < _free || run.First >= all || run.Count > all - run.First)
            throw _file.Broken(offset, $"{run.Count} pages from page {run.First} on in slot {run.Slot}, where page {_free} to {all - 1} may come");
        _free = run.First + run.Count;
    }

    private void ReadRun(PageRun run, ref long position, ref uint checksum, IncrementalHash digest)
    {
        var start = (long)run.First * _head.PageSize;
        var length = (long)run.Count * _head.PageSize;
        for (var done = 0L; done < length;)
        {
            var part = (int)Math.Min(LargestRead, length - done);
            var into = _memory is null ? _scratch.AsSpan(0, part) : _memory[_slots[run.Slot]].Mapping.Slice(start + done, part);
            _file.Read(position, into, digest);
            checksum = Crc32C.Append(checksum, into);
            position += part;
            done += part;
        }
    }
}
