using Migrate.Transfer.Pages;
using Migrate.Transfer.Wire;

namespace Migrate.Transfer.Conformance;

/// <summary>A checksum of every page of a machine's memory, to see which have another content later. Holes are not touched, and equal zeros.</summary>
internal sealed class PageHashes
{
    private readonly uint[][] _slots;

    private PageHashes(uint[][] slots) => _slots = slots;

    public static PageHashes Of(MappedMemory memory, int pageSize)
    {
        var zero = Crc32C.Of(new byte[pageSize]);
        return new PageHashes([.. memory.Slots.Select(slot => Of(slot, pageSize, zero))]);
    }

    /// <summary>The pages that differ, as index of the slot and number within it.</summary>
    public IEnumerable<(int Slot, long Page)> Changed(PageHashes since)
    {
        for (var slot = 0; slot < _slots.Length; slot++)
            for (var page = 0; page < _slots[slot].Length; page++)
                if (_slots[slot][page] != since._slots[slot][page]) yield return (slot, page);
    }

    private static uint[] Of(MappedSlot slot, int pageSize, uint zero)
    {
        var hashes = new uint[DirtyBitmap.PagesOf(slot.Slot, pageSize)];
        hashes.AsSpan().Fill(zero);
        for (var at = 0L; slot.File.TryFindData(at, out var start, out var end); at = end)
        {
            var last = Math.Min((end + pageSize - 1) / pageSize, hashes.LongLength);
            for (var page = start / pageSize; page < last; page++) hashes[page] = Crc32C.Of(slot.Mapping.View(page * pageSize, pageSize));
        }
        return hashes;
    }
}
