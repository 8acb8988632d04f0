using System.Runtime.InteropServices;
using Migrate.Linux.Memory;
using Migrate.Model.Machines;
using Migrate.Transfer.Pages;

namespace Migrate.Tests.Transfer.Pages;

/// <summary>Guest memory for tests.</summary>
internal static class GuestMemories
{
    public static MappedMemory Create(params MemorySlot[] slots) => Adopt(slots);

    private static MappedMemory Adopt(MemorySlot[] slots)
    {
        List<SafeHandle> files = [.. slots.Select(s => MemFd.Create($"slot-{s.Slot}", (long)s.Size))];
        return MappedMemory.Adopt(slots, files, MappingAccess.ReadWrite, "a test machine");
    }

    /// <summary>One slot of a number of pages.</summary>
    public static MappedMemory OneSlot(int pages, int pageSize) => Create(new MemorySlot(0, 0x4000_0000, (ulong)pages * (ulong)pageSize));

    public static Span<byte> Page(this MappedMemory memory, int slotIndex, long page, int pageSize) =>
        memory.Slots[slotIndex].Mapping.Slice(page * pageSize, pageSize);

    public static void AssertSame(MappedMemory expected, MappedMemory actual)
    {
        for (var i = 0; i < expected.Slots.Count; i++)
        {
            var size = (int)expected.Slots[i].Slot.Size;
            Assert.True(expected.Slots[i].Mapping.View(0, size).SequenceEqual(actual.Slots[i].Mapping.View(0, size)), $"slot index {i} differs");
        }
    }

    /// <summary>Bytes of the file that hold data.</summary>
    public static long Populated(MemFd file)
    {
        var sum = 0L;
        for (var at = 0L; file.TryFindData(at, out var start, out var end); at = end) sum += end - start;
        return sum;
    }
}
