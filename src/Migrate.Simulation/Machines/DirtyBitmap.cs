namespace Migrate.Simulation.Machines;

/// <summary>One bit a page of a slot, set by writers and taken by the dirty log, all at once and without a lock.</summary>
internal sealed class DirtyBitmap(ulong bytes, int pageShift)
{
    private readonly ulong[] _words = new ulong[(bytes >> pageShift) / 64 + 1];

    /// <summary>Words of 64 pages, the last one partly used.</summary>
    public int Words { get; } = (int)(((bytes >> pageShift) + 63) / 64);

    /// <summary>Notes a write, after it. Without a look at the bit first: a plain read may overtake the write before it, find a bit that the collector
    /// is about to take, and lose the page.</summary>
    public void Mark(ulong offset)
    {
        var page = offset >> pageShift;
        Interlocked.Or(ref _words[page >> 6], 1UL << (int)(page & 63));
    }

    /// <summary>Moves all bits into a bitmap, OR-ed in. Each is cleared before this returns, so before the caller reads the page.</summary>
    public void CollectInto(Span<ulong> bitmap)
    {
        for (var i = 0; i < Words; i++)
            if (Volatile.Read(ref _words[i]) != 0) bitmap[i] |= Interlocked.Exchange(ref _words[i], 0);
    }

    /// <summary>Clears all bits.</summary>
    public void Clear()
    {
        for (var i = 0; i < Words; i++) Interlocked.Exchange(ref _words[i], 0);
    }
}
