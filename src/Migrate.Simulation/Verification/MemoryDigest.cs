using Migrate.Linux.Memory;
using Migrate.Model.Ports;

namespace Migrate.Simulation.Verification;

/// <summary>A digest over guest memory: the sum of what each page that is not all zeros contributes, so that order, threads and holes do not matter.</summary>
public static class MemoryDigest
{
    private const int Page = 4096;
    private const long Chunk = 4 << 20;

    /// <summary>The digest of all slots, each known by its guest address.</summary>
    /// <exception cref="ArgumentException">The memory is not a <see cref="MemFd"/>.</exception>
    public static UInt128 Of(IReadOnlyList<GuestMemory> memory)
    {
        var sum = UInt128.Zero;
        foreach (var (slot, handle) in memory)
        {
            if (handle is not MemFd file) throw new ArgumentException($"slot {slot.Slot} is not memory of this process", nameof(memory));
            using var mapping = file.Map(MappingAccess.Read);
            sum += Of(file, mapping, slot.GuestAddress);
        }
        return sum;
    }

    /// <summary>The digest of one slot that is mapped already.</summary>
    /// <param name="file">Where the holes are; they are not touched.</param>
    /// <param name="mapping">The memory, a multiple of 4096 bytes.</param>
    /// <param name="guestAddress">The slot's guest physical address: it is part of what is digested.</param>
    public static UInt128 Of(MemFd file, MemoryMapping mapping, ulong guestAddress)
    {
        var work = new List<(long Start, long End)>();
        for (var at = 0L; file.TryFindData(at, out var start, out var end); at = end)
            for (var chunk = start; chunk < end; chunk += Chunk) work.Add((chunk, Math.Min(end, chunk + Chunk)));
        var sums = new UInt128[work.Count];
        Parallel.For(0, work.Count, i => sums[i] = OfRange(mapping, work[i].Start, work[i].End, guestAddress));
        var sum = UInt128.Zero;
        foreach (var part in sums) sum += part;
        return sum;
    }

    private static UInt128 OfRange(MemoryMapping mapping, long start, long end, ulong guestAddress)
    {
        var sum = UInt128.Zero;
        for (var at = start; at < end; at += Page)
        {
            var page = mapping.View(at, Page);
            if (page.ContainsAnyExcept((byte)0)) sum += PageHash.Of(page, guestAddress + (ulong)at);
        }
        return sum;
    }
}
