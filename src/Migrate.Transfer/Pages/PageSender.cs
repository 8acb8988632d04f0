using System.Buffers.Binary;
using System.Numerics;
using Migrate.Linux.Sockets;
using Migrate.Model.Errors;
using Migrate.Transfer.Wire;

namespace Migrate.Transfer.Pages;

/// <summary>Sends pages of a machine straight from its mapped memory: no page is copied here and none costs an allocation.</summary>
/// <remarks>
/// The dirty bit of a page must be clear before the page is sent, so that a write that comes meanwhile is logged again. Page numbers
/// are in the page size of the session, whatever the page sizes of the hosts are.
/// </remarks>
public sealed unsafe class PageSender
{
    private readonly FrameChannel _channel;
    private readonly MappedMemory _memory;
    private readonly int _pageSize;
    private readonly RateLimiter? _limiter;
    private readonly Batch _pages;
    private readonly Batch _zeros;

    /// <summary>A sender of a machine's pages.</summary>
    /// <param name="channel">Where to; nobody else sends on it during <see cref="Send"/>.</param>
    /// <param name="memory">The machine's memory.</param>
    /// <param name="pageSize">Bytes of a page of this session: 4, 16 or 64 KiB.</param>
    /// <param name="limiter">The bandwidth; null for no limit.</param>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Malformed"/>: a slot is not made of such pages.</exception>
    public PageSender(FrameChannel channel, MappedMemory memory, int pageSize, RateLimiter? limiter = null)
    {
        foreach (var slot in memory.Slots) _ = DirtyBitmap.PagesOf(slot.Slot, pageSize);
        (_channel, _memory, _pageSize, _limiter) = (channel, memory, pageSize, limiter);
        _pages = new Batch(FrameKind.Pages);
        _zeros = new Batch(FrameKind.ZeroPages);
    }

    /// <summary>Called on the sending thread after each batch with the bytes of its frame: a move over hours must be seen to go on.</summary>
    public Action<long>? Sent { get; init; }

    /// <summary>Sends the pages of a slot whose bits are set.</summary>
    /// <param name="slot">Slot number.</param>
    /// <param name="bitmap">A private copy: one bit a page, as in <see cref="DirtyBitmap"/>.</param>
    /// <param name="firstRound">The destination's memory is still fresh: pages that are zero are left out, and holes are not even looked at.
    /// The dirty log must be running already, so that a page that fills meanwhile comes in a later round.</param>
    /// <param name="cancellation">Looked at once a batch.</param>
    /// <exception cref="OperationCanceledException">Cancelled between two frames; the channel still stands.</exception>
    public PageCounts Send(int slot, ReadOnlySpan<ulong> bitmap, bool firstRound, CancellationToken cancellation = default)
    {
        if (!_memory.TryFind(slot, out var mapped)) throw new ArgumentOutOfRangeException(nameof(slot), slot, "no such memory slot");
        var pages = DirtyBitmap.PagesOf(mapped.Slot, _pageSize);
        if (bitmap.Length != (pages + 63) / 64) throw new ArgumentException($"a bitmap of {bitmap.Length} words for {pages} pages", nameof(bitmap));
        _pages.Reset();
        _zeros.Reset();
        var counts = default(PageCounts);
        if (!firstRound)
        {
            SendRange(mapped, bitmap, 0, pages, firstRound, ref counts, cancellation);
        }
        else
        {
            var done = 0L;
            while (done < pages && mapped.File.TryFindData(done * _pageSize, out var start, out var end))
            {
                var first = Math.Min(Math.Max(start / _pageSize, done), pages);
                var behind = Math.Min((end + _pageSize - 1) / _pageSize, pages);
                counts += new PageCounts(0, CountBits(bitmap, done, first), 0);
                SendRange(mapped, bitmap, first, behind, firstRound, ref counts, cancellation);
                done = behind;
            }
            counts += new PageCounts(0, CountBits(bitmap, done, pages), 0);
        }
        Flush(_pages, ref counts, cancellation);
        Flush(_zeros, ref counts, cancellation);
        return counts;
    }

    private void SendRange(MappedSlot slot, ReadOnlySpan<ulong> bitmap, long first, long behind, bool firstRound, ref PageCounts counts, CancellationToken cancellation)
    {
        var memory = slot.Mapping.Pointer;
        for (var word = first / 64; word * 64 < behind; word++)
        {
            for (var left = Within(bitmap[(int)word], word, first, behind); left != 0; left &= left - 1)
            {
                var page = word * 64 + BitOperations.TrailingZeroCount(left);
                var address = memory + page * _pageSize;
                if (!ZeroPage.Is(address, _pageSize))
                {
                    if (_pages.IsFull(slot.Slot.Slot, page, _pageSize)) Flush(_pages, ref counts, cancellation);
                    _pages.Add(slot.Slot.Slot, page, address, _pageSize);
                    counts += new PageCounts(1, 0, 0);
                    continue;
                }
                if (!firstRound)
                {
                    if (_zeros.IsFull(slot.Slot.Slot, page, 0)) Flush(_zeros, ref counts, cancellation);
                    _zeros.Add(slot.Slot.Slot, page, address, 0);
                }
                counts += new PageCounts(0, 1, 0);
            }
        }
        GC.KeepAlive(slot.Mapping);
    }

    private void Flush(Batch batch, ref PageCounts counts, CancellationToken cancellation)
    {
        if (batch.Runs == 0) return;
        cancellation.ThrowIfCancellationRequested();
        var table = batch.Finish(_pageSize);
        var bytes = FrameHeader.Size + table.Length + batch.PageBytes;
        _limiter?.Take(bytes, cancellation);
        _channel.SendPages(batch.Kind, table, batch.Vectors, batch.PageBytes);
        counts += new PageCounts(0, 0, bytes);
        batch.Reset();
        Sent?.Invoke(bytes);
    }

    /// <summary>The bits of a word that stand for pages from <paramref name="first"/> to before <paramref name="behind"/>.</summary>
    private static ulong Within(ulong bits, long word, long first, long behind)
    {
        if (first > word * 64) bits &= ulong.MaxValue << (int)(first - word * 64);
        if (behind < (word + 1) * 64) bits &= ulong.MaxValue >> (int)((word + 1) * 64 - behind);
        return bits;
    }

    private static long CountBits(ReadOnlySpan<ulong> bitmap, long first, long behind)
    {
        var count = 0L;
        if (first >= behind) return 0;
        for (var word = first / 64; word * 64 < behind; word++) count += BitOperations.PopCount(Within(bitmap[(int)word], word, first, behind));
        return count;
    }

    /// <summary>One frame in the making: its table, pinned for the length of the sender's life, and its vectors.</summary>
    private sealed class Batch(FrameKind kind)
    {
        private readonly byte[] _table = GC.AllocateArray<byte>(PageTable.MaxSize, pinned: true);
        private readonly IoVector[] _vectors = new IoVector[2 + FrameTable.MaxRuns];
        private PageRun _last;

        public FrameKind Kind => kind;

        public int Runs { get; private set; }

        public long PageBytes { get; private set; }

        /// <summary>Two places for header and table, then one vector a run; none for pages that are not sent.</summary>
        public Span<IoVector> Vectors => _vectors.AsSpan(0, PageBytes == 0 ? 2 : 2 + Runs);

        public void Reset() => (Runs, PageBytes, _last) = (0, 0, default);

        public bool IsFull(int slot, long page, int bytes) =>
            PageBytes + bytes > FrameTable.MaxPageBytes || (Runs == FrameTable.MaxRuns && !Continues(slot, page));

        public void Add(int slot, long page, byte* address, int bytes)
        {
            if (Continues(slot, page))
            {
                _last = _last with { Count = _last.Count + 1 };
                _vectors[1 + Runs] = new IoVector(_vectors[1 + Runs].Address, _vectors[1 + Runs].Length + bytes);
            }
            else
            {
                _last = new PageRun(slot, 1, (ulong)page);
                Runs++;
                _vectors[1 + Runs] = new IoVector((nint)address, bytes);
            }
            _last.CopyTo(_table.AsSpan(PageTable.HeadSize + (Runs - 1) * PageRun.Size));
            PageBytes += bytes;
        }

        public ReadOnlySpan<byte> Finish(int pageSize)
        {
            BinaryPrimitives.WriteInt32LittleEndian(_table, pageSize);
            BinaryPrimitives.WriteInt32LittleEndian(_table.AsSpan(4), Runs);
            return _table.AsSpan(0, PageTable.HeadSize + Runs * PageRun.Size);
        }

        private bool Continues(int slot, long page) =>
            Runs > 0 && _last.Slot == slot && _last.Count < uint.MaxValue && _last.First + _last.Count == (ulong)page;
    }
}
