using System.Runtime.InteropServices;

namespace Migrate.Kvm.Native;

// Sources of every layout below: include/uapi/linux/kvm.h and arch/arm64/include/uapi/asm/kvm.h. The arm64 ones are the arm64 ones in an
// x86-64 process too: the kernel at the other end decides, and in the lab that process is translated.

/// <summary>struct kvm_userspace_memory_region.</summary>
[StructLayout(LayoutKind.Explicit, Size = Bytes)]
internal struct UserspaceMemoryRegion
{
    public const int Bytes = 32;

    [FieldOffset(0)]
    public uint Slot;

    [FieldOffset(4)]
    public uint Flags;

    [FieldOffset(8)]
    public ulong GuestAddress;

    [FieldOffset(16)]
    public ulong Size;

    [FieldOffset(24)]
    public ulong HostAddress;
}

/// <summary>struct kvm_dirty_log.</summary>
[StructLayout(LayoutKind.Explicit, Size = Bytes)]
internal struct DirtyLog
{
    public const int Bytes = 16;

    [FieldOffset(0)]
    public uint Slot;

    [FieldOffset(8)]
    public ulong Address;
}

/// <summary>struct kvm_clear_dirty_log.</summary>
[StructLayout(LayoutKind.Explicit, Size = Bytes)]
internal struct ClearDirtyLog
{
    public const int Bytes = 24;

    [FieldOffset(0)]
    public uint Slot;

    [FieldOffset(4)]
    public uint Pages;

    [FieldOffset(8)]
    public ulong FirstPage;

    [FieldOffset(16)]
    public ulong Address;
}

/// <summary>struct kvm_one_reg.</summary>
[StructLayout(LayoutKind.Explicit, Size = Bytes)]
internal struct OneReg
{
    public const int Bytes = 16;

    [FieldOffset(0)]
    public ulong Id;

    [FieldOffset(8)]
    public ulong Address;
}

/// <summary>struct kvm_vcpu_init: the target and seven words of features, of which KVM uses the first.</summary>
[StructLayout(LayoutKind.Explicit, Size = Bytes)]
internal struct VcpuInit
{
    public const int Bytes = 32;

    [FieldOffset(0)]
    public uint Target;

    [FieldOffset(4)]
    public uint Features;

    [FieldOffset(8)]
    public uint MoreFeatures;
}

/// <summary>struct kvm_vcpu_events of arm64.</summary>
[StructLayout(LayoutKind.Explicit, Size = Bytes)]
internal struct VcpuEventsLayout
{
    public const int Bytes = 64;

    [FieldOffset(0)]
    public byte SErrorPending;

    [FieldOffset(1)]
    public byte SErrorHasEsr;

    [FieldOffset(2)]
    public byte ExternalDataAbortPending;

    [FieldOffset(8)]
    public ulong SErrorEsr;
}

/// <summary>struct kvm_create_device.</summary>
[StructLayout(LayoutKind.Explicit, Size = Bytes)]
internal struct CreateDevice
{
    public const int Bytes = 12;

    [FieldOffset(0)]
    public uint Type;

    [FieldOffset(4)]
    public int Descriptor;

    [FieldOffset(8)]
    public uint Flags;
}

/// <summary>struct kvm_device_attr.</summary>
[StructLayout(LayoutKind.Explicit, Size = Bytes)]
internal struct DeviceAttr
{
    public const int Bytes = 24;

    [FieldOffset(0)]
    public uint Flags;

    [FieldOffset(4)]
    public uint Group;

    [FieldOffset(8)]
    public ulong Attribute;

    [FieldOffset(16)]
    public ulong Address;
}

/// <summary>struct kvm_enable_cap: four arguments and 64 bytes of padding behind what is named here.</summary>
[StructLayout(LayoutKind.Explicit, Size = Bytes)]
internal struct EnableCap
{
    public const int Bytes = 104;

    [FieldOffset(0)]
    public uint Capability;

    [FieldOffset(4)]
    public uint Flags;

    [FieldOffset(8)]
    public ulong Argument;
}

/// <summary>struct kvm_smccc_filter.</summary>
[StructLayout(LayoutKind.Explicit, Size = Bytes)]
internal struct SmcccFilter
{
    public const int Bytes = 24;

    [FieldOffset(0)]
    public uint Base;

    [FieldOffset(4)]
    public uint Count;

    [FieldOffset(8)]
    public byte Action;
}

/// <summary>struct kvm_arm_counter_offset.</summary>
[StructLayout(LayoutKind.Explicit, Size = Bytes)]
internal struct CounterOffset
{
    public const int Bytes = 16;

    [FieldOffset(0)]
    public ulong Offset;
}

/// <summary>struct kvm_guest_debug of arm64: 512 bytes of breakpoints and watchpoints lie behind what is named here.</summary>
[StructLayout(LayoutKind.Explicit, Size = Bytes)]
internal struct GuestDebug
{
    public const int Bytes = 520;

    [FieldOffset(0)]
    public uint Control;
}

/// <summary>struct reg_mask_range.</summary>
[StructLayout(LayoutKind.Explicit, Size = Bytes)]
internal struct RegisterMaskRange
{
    public const int Bytes = 64;

    /// <summary>KVM_ARM_FEATURE_ID_RANGE_SIZE: masks of op0 3, op1 0, 1 and 3, CRn 0.</summary>
    public const int Masks = 3 * 8 * 8;

    [FieldOffset(0)]
    public ulong Address;

    [FieldOffset(8)]
    public uint Range;
}

/// <summary>struct kvm_irq_level.</summary>
[StructLayout(LayoutKind.Explicit, Size = Bytes)]
internal struct IrqLevel
{
    public const int Bytes = 8;

    [FieldOffset(0)]
    public uint Irq;

    [FieldOffset(4)]
    public uint Level;
}

/// <summary>struct kvm_signal_mask with the kernel's signal set behind it, which has 8 bytes (not glibc's 128).</summary>
[StructLayout(LayoutKind.Explicit, Size = Bytes)]
internal struct SignalMask
{
    public const int Bytes = 12;

    /// <summary>The kernel's sizeof(sigset_t), the only length that KVM_SET_SIGNAL_MASK takes.</summary>
    public const uint SetBytes = 8;

    [FieldOffset(0)]
    public uint Length;

    [FieldOffset(4)]
    public uint LowSignals;

    [FieldOffset(8)]
    public uint HighSignals;
}

/// <summary>Offsets into struct kvm_run, the page that a vCPU shares. The union of the exits begins at <see cref="Union"/>.</summary>
internal static class RunLayout
{
    public const int ImmediateExit = 1;
    public const int ExitReason = 8;
    public const int Union = 32;

    /// <summary>mmio.phys_addr, data, len, is_write.</summary>
    public const int MmioAddress = Union;

    public const int MmioData = Union + 8;
    public const int MmioLength = Union + 16;
    public const int MmioIsWrite = Union + 20;

    /// <summary>hypercall.nr; flags lie where x86 has longmode, behind six arguments and the result.</summary>
    public const int HypercallNumber = Union;

    public const int HypercallFlags = Union + 64;

    /// <summary>system_event.type, ndata, flags.</summary>
    public const int SystemEventType = Union;


    /// <summary>Least size of the mapping for all of the above.</summary>
    public const int Smallest = Union + 256;
}
