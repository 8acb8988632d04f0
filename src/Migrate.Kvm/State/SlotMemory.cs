using Migrate.Linux;
using Migrate.Linux.Memory;
using Migrate.Model.Machines;

namespace Migrate.Kvm.State;

/// <summary>The memory behind one slot.</summary>
/// <param name="Slot">Which.</param>
/// <param name="Region">Where this process has it.</param>
/// <param name="File">The memfd behind it; null for memory that is nobody else's.</param>
internal sealed record SlotMemory(MemorySlot Slot, MappedRegion Region, MemFd? File) : IDisposable
{
    /// <summary>Fresh memory that takes address space and nothing else until it is touched.</summary>
    /// <exception cref="LinuxException">The kernel has no room for it.</exception>
    public static SlotMemory Untouched(MemorySlot slot) => new(slot, MappedRegion.Untouched($"slot {slot.Slot}", (long)slot.Size), null);

    /// <summary>Fresh memory behind a sealed memfd, which a machine socket can hand to others.</summary>
    /// <exception cref="LinuxException">The kernel has no room for it.</exception>
    public static SlotMemory Shared(MemorySlot slot)
    {
        var file = MemFd.Create($"guest-slot-{slot.Slot}", (long)slot.Size);
        try
        {
            return new SlotMemory(slot, MappedRegion.OfMemory(file), file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Gives it back.</summary>
    public void Dispose()
    {
        Region.Dispose();
        File?.Dispose();
    }
}
