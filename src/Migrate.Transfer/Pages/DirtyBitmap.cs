using System.Numerics;
using Migrate.Model.Errors;
using Migrate.Model.Machines;

namespace Migrate.Transfer.Pages;

/// <summary>One bit a page over all slots of a machine: a private copy, never memory shared with a peer.</summary>
/// <remarks>Slots follow each other in the order of the description, each beginning at a 64-bit word of its own; page n of a slot is
/// bit n modulo 64 of its word n / 64. It is also the layout of the memfd on a machine socket.</remarks>
public sealed class DirtyBitmap
{
    private readonly ulong[] _words;
    private readonly (int Start, int Words, long Pages)[] _slots;

    /// <summary>A clear bitmap.</summary>
    /// <param name="slots">The slots in the order of the description.</param>
    /// <param name="pageSize">Bytes that a bit stands for.</param>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Malformed"/>: a page size that is none, or a slot that is not made of whole pages;
    /// <see cref="ErrorCode.TooLarge"/>: more pages than a bitmap can have.</exception>
    public DirtyBitmap(IReadOnlyList<MemorySlot> slots, int pageSize)
    {
        PageSize = pageSize;
        _slots = new (int, int, long)[slots.Count];
        var start = 0L;
        for (var i = 0; i < slots.Count; i++)
        {
            var pages = PagesOf(slots[i], pageSize);
            var words = (pages + 63) / 64;
            if (start + words > Array.MaxLength)
                throw new MigrateException(ErrorCode.TooLarge, $"memory slot {slots[i].Slot} of {slots[i].Size} bytes has more pages than a bitmap can hold");
            _slots[i] = ((int)start, (int)words, pages);
            start += words;
        }
        _words = new ulong[start];
    }

    /// <summary>Bytes that a bit stands for.</summary>
    public int PageSize { get; }

    /// <summary>How many slots.</summary>
    public int SlotCount => _slots.Length;

    /// <summary>Bytes of the whole bitmap; also the size of the shared one.</summary>
    public long Bytes => _words.LongLength * sizeof(ulong);

    /// <summary>Every word, slot after slot.</summary>
    public Span<ulong> Words => _words;

    /// <summary>How many bits are set.</summary>
    public long Count
    {
        get
        {
            var count = 0L;
            foreach (var word in _words) count += BitOperations.PopCount(word);
            return count;
        }
    }

    /// <summary>How many pages a slot has.</summary>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Malformed"/>: a page size that is none, or a slot that is not made of whole pages.</exception>
    public static long PagesOf(MemorySlot slot, int pageSize)
    {
        if (!PageSizes.IsValid(pageSize))
            throw new MigrateException(ErrorCode.Malformed, $"a page size of {pageSize} bytes; only 4096, 16384 and 65536 are possible");
        if (slot.Size == 0 || slot.Size % (ulong)pageSize != 0 || slot.Size > long.MaxValue)
            throw new MigrateException(ErrorCode.Malformed, $"memory slot {slot.Slot} of {slot.Size} bytes is not made of pages of {pageSize} bytes");
        return (long)(slot.Size / (ulong)pageSize);
    }

    /// <summary>The words of the slot at an index of the description.</summary>
    public Span<ulong> Slot(int index) => _words.AsSpan(_slots[index].Start, _slots[index].Words);

    /// <summary>Byte offset of a slot's words in the whole bitmap.</summary>
    public long OffsetOf(int index) => (long)_slots[index].Start * sizeof(ulong);

    /// <summary>Sets the bit of every page and no other.</summary>
    public void SetAll()
    {
        _words.AsSpan().Fill(ulong.MaxValue);
        ClearBeyondEnd();
    }

    /// <summary>Clears every bit.</summary>
    public void Clear() => _words.AsSpan().Clear();

    /// <summary>Clears bits that stand for no page; what a peer set there means nothing.</summary>
    public void ClearBeyondEnd()
    {
        foreach (var (start, words, pages) in _slots)
            if (pages % 64 != 0) _words[start + words - 1] &= ulong.MaxValue >> (int)(64 - pages % 64);
    }
}
