using Migrate.Model.Machines;
using Migrate.Model.Ports;

namespace Migrate.Simulation.Hosts;

/// <summary>The memory slots of one VM, validated in the kernel's order.</summary>
/// <remarks>Source: virt/kvm/kvm_main.c, <c>kvm_set_memory_region</c>; arch/arm64/kvm/mmu.c, <c>kvm_arch_prepare_memory_region</c>.</remarks>
internal sealed class MemorySlotRules(int pageSize)
{
    // KVM_USER_MEM_SLOTS on arm64 is SHRT_MAX; KVM_MEM_MAX_NR_PAGES is 2^31 - 1.
    private const int MaximumSlots = 32767;
    private const ulong MaximumPages = (1UL << 31) - 1;

    private readonly List<MemorySlot> _slots = [];

    /// <summary>The slots in the order of their creation.</summary>
    public IReadOnlyList<MemorySlot> Slots => _slots;

    public StepAnswer Check(MemorySlot slot, VmType type)
    {
        var page = (ulong)pageSize;
        if (slot.Size == 0 || slot.Size % page != 0) return new(Errno.EINVAL, $"the size 0x{slot.Size:x} is no multiple of the host's {pageSize}-byte page");
        if (slot.GuestAddress % page != 0) return new(Errno.EINVAL, $"the address 0x{slot.GuestAddress:x} is not aligned to the host's {pageSize}-byte page");
        if (slot.Slot is < 0 or >= MaximumSlots) return new(Errno.EINVAL, $"slot numbers end at {MaximumSlots - 1}");
        if (slot.Size > ulong.MaxValue - slot.GuestAddress) return new(Errno.EINVAL, "the slot ends beyond the last address");
        if (slot.Size / page > MaximumPages) return new(Errno.EINVAL, "the slot has too many pages");
        foreach (var other in _slots)
            if (other.Slot == slot.Slot) return new(Errno.EINVAL, $"slot {slot.Slot} exists");
        foreach (var other in _slots)
            if (slot.GuestAddress < other.GuestAddress + other.Size && other.GuestAddress < slot.GuestAddress + slot.Size)
                return new(Errno.EEXIST, $"overlaps slot {other.Slot}");
        if ((UInt128)slot.GuestAddress + slot.Size > type.AddressLimit) return new(Errno.EFAULT, $"beyond {type.IpaBits} address bits");
        return StepAnswer.Ok;
    }

    public void Add(MemorySlot slot) => _slots.Add(slot);
}
