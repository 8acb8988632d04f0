using Migrate.Model.Registers;

namespace Migrate.Preflight;

/// <summary>Registers and fields that rules name. Encodings: Linux arch/arm64/tools/sysreg; timer ids: arch/arm64/include/uapi/asm/kvm.h.</summary>
internal static class KnownRegisters
{
    public static RegisterId Pstate { get; } = RegisterId.Core(8 * 33, 8);

    public static RegisterId SveLengths { get; } = RegisterId.Of(RegisterClass.Sve, 0xffff, 64);

    public static RegisterId Mpidr { get; } = RegisterId.System(3, 0, 0, 0, 5);

    public static RegisterId Midr { get; } = RegisterId.System(3, 0, 0, 0, 0);

    public static RegisterId Revidr { get; } = RegisterId.System(3, 0, 0, 0, 6);

    public static RegisterId Aidr { get; } = RegisterId.System(3, 1, 0, 0, 7);

    public static RegisterId Isar1 { get; } = RegisterId.System(3, 0, 0, 6, 1);

    public static RegisterId Isar2 { get; } = RegisterId.System(3, 0, 0, 6, 2);

    public static RegisterId CacheType { get; } = RegisterId.System(3, 3, 0, 0, 1);

    public static RegisterId Pfr0 { get; } = RegisterId.System(3, 0, 0, 4, 0);

    public static RegisterId Pfr1 { get; } = RegisterId.System(3, 0, 0, 4, 1);

    public static RegisterId Pfr2 { get; } = RegisterId.System(3, 0, 0, 4, 2);

    public static RegisterId Dfr0 { get; } = RegisterId.System(3, 0, 0, 5, 0);

    public static RegisterId AArch32Pfr1 { get; } = RegisterId.System(3, 0, 0, 1, 1);

    public static RegisterId AArch32Dfr0 { get; } = RegisterId.System(3, 0, 0, 1, 2);

    public static RegisterId Mmfr2 { get; } = RegisterId.System(3, 0, 0, 7, 2);

    public static RegisterId Mmfr3 { get; } = RegisterId.System(3, 0, 0, 7, 3);

    public static RegisterId Clidr { get; } = RegisterId.System(3, 1, 0, 0, 1);

    public static RegisterId Sctlr2 { get; } = RegisterId.System(3, 0, 1, 0, 3);

    public static RegisterId Tcr2 { get; } = RegisterId.System(3, 0, 2, 0, 3);

    public static RegisterId Pire0 { get; } = RegisterId.System(3, 0, 10, 2, 2);

    public static RegisterId Pir { get; } = RegisterId.System(3, 0, 10, 2, 3);

    public static RegisterId Por1 { get; } = RegisterId.System(3, 0, 10, 2, 4);

    public static RegisterId Por0 { get; } = RegisterId.System(3, 3, 10, 2, 4);

    public static RegisterId Pmcr { get; } = RegisterId.System(3, 3, 9, 12, 0);

    public static RegisterId PmCountersSet { get; } = RegisterId.System(3, 3, 9, 12, 1);

    public static RegisterId PmCountersClear { get; } = RegisterId.System(3, 3, 9, 12, 2);

    public static RegisterId PmOverflowClear { get; } = RegisterId.System(3, 3, 9, 12, 3);

    public static RegisterId PmSoftwareIncrement { get; } = RegisterId.System(3, 3, 9, 12, 4);

    public static RegisterId PmOverflowSet { get; } = RegisterId.System(3, 3, 9, 14, 3);

    public static RegisterId PmInterruptsSet { get; } = RegisterId.System(3, 0, 9, 14, 1);

    public static RegisterId PmInterruptsClear { get; } = RegisterId.System(3, 0, 9, 14, 2);

    public static RegisterId OsLockStatus { get; } = RegisterId.System(2, 0, 1, 1, 4);

    public static RegisterId PhysicalCount { get; } = RegisterId.System(3, 3, 14, 0, 1);

    public static RegisterId PhysicalControl { get; } = RegisterId.System(3, 3, 14, 2, 1);

    public static RegisterId PhysicalCompare { get; } = RegisterId.System(3, 3, 14, 2, 2);

    public static RegisterId VirtualControl { get; } = RegisterId.System(3, 3, 14, 3, 1);

    /// <summary>KVM_REG_ARM_TIMER_CNT, which carries the encoding of CNTV_CVAL's neighbour: see the kernel header's own warning.</summary>
    public static RegisterId VirtualCount { get; } = RegisterId.System(3, 3, 14, 3, 2);

    /// <summary>KVM_REG_ARM_TIMER_CVAL, which carries the encoding of CNTVCT_EL0: see the kernel header's own warning.</summary>
    public static RegisterId VirtualCompare { get; } = RegisterId.System(3, 3, 14, 0, 2);

    /// <summary>MIDR_EL1, REVIDR_EL1, AIDR_EL1: which CPU it is.</summary>
    public static bool IsImplementationId(RegisterId id) => id == Midr || id == Revidr || id == Aidr;

    public static bool IsCounter(RegisterId id) => id == VirtualCount || id == PhysicalCount;

    public static bool IsTimerControl(RegisterId id) => id == VirtualControl || id == PhysicalControl;

    /// <summary>Registers that identify the CPU or its features: the guest cannot write them, so their values never change while it runs.</summary>
    public static bool IsIdentification(RegisterId id) =>
        id.Class == RegisterClass.System && id.Index >> 14 == 3 && ((id.Index >> 7) & 15) == 0 && ((id.Index >> 11) & 7) is 0 or 1 or 3;

    /// <summary>ID_PFR0_EL1 to MVFR2_EL1 and what lies between: feature registers of AArch32 (CRm 1 to 3).</summary>
    public static bool IsAArch32Feature(RegisterId id) => IsFeatureBlock(id) && ((id.Index >> 3) & 15) <= 3;

    /// <summary>The architecture's block of feature registers (op1 0, CRn 0, CRm 1 to 7): what is unallocated in it reads as zero.</summary>
    public static bool IsFeatureBlock(RegisterId id) =>
        id.Class == RegisterClass.System && id.Index >> 7 == 3 << 7 && ((id.Index >> 3) & 15) is >= 1 and <= 7;
}
