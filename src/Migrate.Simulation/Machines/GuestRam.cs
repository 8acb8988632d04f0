using System.Numerics;
using Migrate.Linux.Memory;
using Migrate.Model.Machines;
using Migrate.Model.Ports;

namespace Migrate.Simulation.Machines;

/// <summary>The guest memory of one VM: per slot a sealed memfd, its mapping and two dirty bitmaps, one for vCPUs (what KVM would log) and one for the VMM's own writes.</summary>
internal sealed unsafe class GuestRam(int pageSize) : IDisposable
{
    private readonly List<Slot> _slots = [];
    private readonly List<GuestMemory> _memory = [];

    public int PageSize { get; } = pageSize;

    public IReadOnlyList<GuestMemory> Memory => _memory;

    public IReadOnlyList<Slot> Slots => _slots;

    /// <summary>Creates and maps the memory of one validated slot.</summary>
    /// <exception cref="Migrate.Linux.LinuxException">The kernel has no room for it.</exception>
    public void Add(MemorySlot slot)
    {
        var memory = MemFd.Create($"guest-slot-{slot.Slot}", checked((long)slot.Size));
        try
        {
            var shift = BitOperations.Log2((uint)PageSize);
            _slots.Add(new(slot, memory, memory.Map(MappingAccess.ReadWrite), new(slot.Size, shift), new(slot.Size, shift)));
        }
        catch
        {
            memory.Dispose();
            throw;
        }
        _memory.Add(new GuestMemory(slot, memory));
    }

    /// <summary>The memory behind a guest physical address, and how many bytes of it follow in the same slot.</summary>
    public bool TryTranslate(ulong address, out Slot slot, out ulong offset, out ulong rest)
    {
        foreach (var candidate in _slots)
        {
            if (address < candidate.Region.GuestAddress || address - candidate.Region.GuestAddress >= candidate.Region.Size) continue;
            slot = candidate;
            offset = address - candidate.Region.GuestAddress;
            rest = candidate.Region.Size - offset;
            return true;
        }
        slot = null!;
        offset = rest = 0;
        return false;
    }

    public void Dispose()
    {
        foreach (var slot in _slots)
        {
            slot.Mapping.Dispose();
            slot.File.Dispose();
        }
    }

    /// <summary>One slot.</summary>
    public sealed record Slot(MemorySlot Region, MemFd File, MemoryMapping Mapping, DirtyBitmap Vcpus, DirtyBitmap Vmm);
}
