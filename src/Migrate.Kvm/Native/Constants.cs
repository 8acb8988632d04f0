namespace Migrate.Kvm.Native;

/// <summary>Error numbers that KVM answers with and that mean something here (uapi asm-generic/errno-base.h).</summary>
internal static class KvmErrno
{
    public const int EPERM = 1;
    public const int ENOENT = 2;
    public const int EINTR = 4;
    public const int ENXIO = 6;
    public const int E2BIG = 7;
    public const int ENOEXEC = 8;
    public const int EAGAIN = 11;
    public const int EBUSY = 16;
    public const int EEXIST = 17;
    public const int ENODEV = 19;
    public const int EINVAL = 22;
}

/// <summary>Flags of memory slots (include/uapi/linux/kvm.h).</summary>
internal static class MemoryFlags
{
    public const uint LogDirtyPages = 1;
    public const uint ReadOnly = 2;
}

/// <summary>Device attribute groups of the vGIC (arch/arm64/include/uapi/asm/kvm.h, KVM_DEV_ARM_VGIC_GRP_*).</summary>
internal static class VgicGroup
{
    public const uint Address = 0;
    public const uint Distributor = 1;
    public const uint Interrupts = 3;
    public const uint Control = 4;
    public const uint Redistributor = 5;
    public const uint CpuSystemRegisters = 6;
    public const uint LevelInfo = 7;
    public const uint Its = 8;
}

/// <summary>Attributes of <see cref="VgicGroup.Address"/>: KVM_VGIC_*_ADDR_TYPE_*.</summary>
internal static class VgicAddress
{
    public const ulong V2Distributor = 0;
    public const ulong V2Cpu = 1;
    public const ulong V3Distributor = 2;
    public const ulong V3Redistributor = 3;
    public const ulong Its = 4;
}

/// <summary>Attributes of <see cref="VgicGroup.Control"/>.</summary>
internal static class VgicControl
{
    public const ulong Init = 0;
    public const ulong ItsSaveTables = 1;
    public const ulong ItsRestoreTables = 2;
    public const ulong SavePendingTables = 3;
}

/// <summary>Device attributes of the VM descriptor.</summary>
internal static class VmControl
{
    public const uint SmcccControl = 0;
    public const ulong SmcccFilter = 0;
}

/// <summary>Device attributes of a vCPU descriptor (KVM_ARM_VCPU_*).</summary>
internal static class VcpuAttributes
{
    public const uint PmuControl = 0;
    public const ulong PmuInterrupt = 0;
    public const ulong PmuInit = 1;
    public const ulong PmuFilter = 2;
    public const ulong PmuSetPmu = 3;
    public const ulong PmuSetCounters = 4;

    public const uint TimerControl = 1;
    public const ulong TimerVirtual = 0;
    public const ulong TimerPhysical = 1;
    public const ulong TimerHypervisorVirtual = 2;
    public const ulong TimerHypervisorPhysical = 3;

    public const uint StolenTimeControl = 2;
    public const ulong StolenTimeAddress = 0;
}

/// <summary>The irq field of KVM_IRQ_LINE (KVM_ARM_IRQ_*).</summary>
internal static class IrqField
{
    public const uint TypeShared = 1u << 24;
    public const uint TypePrivate = 2u << 24;
    public const int VcpuShift = 16;
}

/// <summary>Bits of kvm_guest_debug.control (include/uapi/linux/kvm.h).</summary>
internal static class GuestDebugControl
{
    public const uint Enable = 1;
}

/// <summary>Bits of kvm_run.hypercall.flags.</summary>
internal static class HypercallFlags
{
    public const ulong Smc = 1;
}
