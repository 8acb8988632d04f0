namespace Migrate.Kvm.Handles;

/// <summary>What KVM_CHECK_EXTENSION is asked for on arm64, by KVM's own numbers.</summary>
/// <remarks>Source: include/uapi/linux/kvm.h, KVM_CAP_*; the kebab-case form of a name is what a profile and <c>cap.</c> attributes call it.</remarks>
public enum Capability
{
    /// <summary>KVM_CAP_USER_MEMORY.</summary>
    UserMemory = 3,

    /// <summary>KVM_CAP_NR_VCPUS: vCPUs that are advisable.</summary>
    NrVcpus = 9,

    /// <summary>KVM_CAP_NR_MEMSLOTS.</summary>
    NrMemslots = 10,

    /// <summary>KVM_CAP_MP_STATE.</summary>
    MpState = 14,

    /// <summary>KVM_CAP_DESTROY_MEMORY_REGION_WORKS.</summary>
    DestroyMemoryRegionWorks = 21,

    /// <summary>KVM_CAP_SET_GUEST_DEBUG.</summary>
    SetGuestDebug = 23,

    /// <summary>KVM_CAP_VCPU_EVENTS.</summary>
    VcpuEvents = 41,

    /// <summary>KVM_CAP_MAX_VCPUS.</summary>
    MaxVcpus = 66,

    /// <summary>KVM_CAP_ONE_REG.</summary>
    OneReg = 70,

    /// <summary>KVM_CAP_SIGNAL_MSI.</summary>
    SignalMsi = 77,

    /// <summary>KVM_CAP_READONLY_MEM.</summary>
    ReadonlyMem = 81,

    /// <summary>KVM_CAP_ARM_PSCI.</summary>
    ArmPsci = 87,

    /// <summary>KVM_CAP_ARM_SET_DEVICE_ADDR.</summary>
    ArmSetDeviceAddr = 88,

    /// <summary>KVM_CAP_DEVICE_CTRL.</summary>
    DeviceCtrl = 89,

    /// <summary>KVM_CAP_ARM_EL1_32BIT.</summary>
    ArmEl132bit = 93,

    /// <summary>KVM_CAP_VM_ATTRIBUTES.</summary>
    VmAttributes = 101,

    /// <summary>KVM_CAP_ARM_PSCI_0_2.</summary>
    ArmPsci02 = 102,

    /// <summary>KVM_CAP_ARM_PMU_V3.</summary>
    ArmPmuV3 = 126,

    /// <summary>KVM_CAP_VCPU_ATTRIBUTES.</summary>
    VcpuAttributes = 127,

    /// <summary>KVM_CAP_MAX_VCPU_ID.</summary>
    MaxVcpuId = 128,

    /// <summary>KVM_CAP_MSI_DEVID.</summary>
    MsiDevid = 131,

    /// <summary>KVM_CAP_IMMEDIATE_EXIT.</summary>
    ImmediateExit = 136,

    /// <summary>KVM_CAP_ARM_USER_IRQ.</summary>
    ArmUserIrq = 144,

    /// <summary>KVM_CAP_ARM_INJECT_SERROR_ESR.</summary>
    ArmInjectSerrorEsr = 158,

    /// <summary>KVM_CAP_ARM_VM_IPA_SIZE: most bits of guest physical address; above zero on every arm64 KVM since 4.20 and on nothing else.</summary>
    ArmVmIpaSize = 165,

    /// <summary>KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2.</summary>
    ManualDirtyLogProtect2 = 168,

    /// <summary>KVM_CAP_ARM_SVE.</summary>
    ArmSve = 170,

    /// <summary>KVM_CAP_ARM_PTRAUTH_ADDRESS.</summary>
    ArmPtrauthAddress = 171,

    /// <summary>KVM_CAP_ARM_PTRAUTH_GENERIC.</summary>
    ArmPtrauthGeneric = 172,

    /// <summary>KVM_CAP_ARM_IRQ_LINE_LAYOUT_2.</summary>
    ArmIrqLineLayout2 = 174,

    /// <summary>KVM_CAP_ARM_NISV_TO_USER.</summary>
    ArmNisvToUser = 177,

    /// <summary>KVM_CAP_ARM_INJECT_EXT_DABT.</summary>
    ArmInjectExtDabt = 178,

    /// <summary>KVM_CAP_STEAL_TIME.</summary>
    StealTime = 187,

    /// <summary>KVM_CAP_DIRTY_LOG_RING.</summary>
    DirtyLogRing = 192,

    /// <summary>KVM_CAP_PTP_KVM.</summary>
    PtpKvm = 198,

    /// <summary>KVM_CAP_ARM_MTE.</summary>
    ArmMte = 205,

    /// <summary>KVM_CAP_ARM_SYSTEM_SUSPEND.</summary>
    ArmSystemSuspend = 216,

    /// <summary>KVM_CAP_DIRTY_LOG_RING_ACQ_REL.</summary>
    DirtyLogRingAcqRel = 223,

    /// <summary>KVM_CAP_DIRTY_LOG_RING_WITH_BITMAP.</summary>
    DirtyLogRingWithBitmap = 225,

    /// <summary>KVM_CAP_COUNTER_OFFSET.</summary>
    CounterOffset = 227,

    /// <summary>KVM_CAP_ARM_EAGER_SPLIT_CHUNK_SIZE.</summary>
    ArmEagerSplitChunkSize = 228,

    /// <summary>KVM_CAP_ARM_SUPPORTED_BLOCK_SIZES.</summary>
    ArmSupportedBlockSizes = 229,

    /// <summary>KVM_CAP_ARM_SUPPORTED_REG_MASK_RANGES.</summary>
    ArmSupportedRegMaskRanges = 230,

    /// <summary>KVM_CAP_GUEST_MEMFD.</summary>
    GuestMemfd = 234,

    /// <summary>KVM_CAP_ARM_WRITABLE_IMP_ID_REGS.</summary>
    ArmWritableImpIdRegs = 239,

    /// <summary>KVM_CAP_ARM_EL2.</summary>
    ArmEl2 = 240,

    /// <summary>KVM_CAP_ARM_EL2_E2H0.</summary>
    ArmEl2E2h0 = 241,

    /// <summary>KVM_CAP_ARM_CACHEABLE_PFNMAP_SUPPORTED.</summary>
    ArmCacheablePfnmapSupported = 243,

    /// <summary>KVM_CAP_ARM_SEA_TO_USER.</summary>
    ArmSeaToUser = 245,
}
