using System.Collections.Frozen;
using Migrate.Model.Firmware;
using Migrate.Model.Registers;

namespace Migrate.Model.Foreign;

/// <summary>Registers that KVM treats alike when they are written: the rows of <see cref="Assumptions"/>.</summary>
internal enum RegisterKind
{
    /// <summary>Stored as written.</summary>
    Raw,

    /// <summary>AArch64 feature identification, and encodings reserved for it.</summary>
    FeatureId,

    /// <summary>AArch32 feature identification.</summary>
    FeatureId32,

    /// <summary>MIDR, REVIDR, AIDR.</summary>
    ImplementationId,

    /// <summary>CTR_EL0.</summary>
    CacheType,

    /// <summary>CLIDR_EL1.</summary>
    CacheLevels,

    /// <summary>CCSIDR_EL1 by CSSELR (KVM_REG_ARM_DEMUX).</summary>
    CacheSize,

    /// <summary>MPIDR_EL1.</summary>
    Affinity,

    /// <summary>PSCI_VERSION.</summary>
    PsciVersion,

    /// <summary>WORKAROUND_1 and WORKAROUND_3.</summary>
    Workaround,

    /// <summary>WORKAROUND_2.</summary>
    Workaround2,

    /// <summary>Hypercall bitmaps.</summary>
    HypercallBitmap,

    /// <summary>KVM_REG_ARM64_SVE_VLS.</summary>
    VectorLengths,

    /// <summary>Virtual and physical counter.</summary>
    Counter,

    /// <summary>CNTV_CTL, CNTP_CTL.</summary>
    TimerControl,

    /// <summary>OSLSR_EL1.</summary>
    OsLockStatus,

    /// <summary>PMCR_EL0.</summary>
    PmuControl,

    /// <summary>PMCNTENSET, PMINTENSET, PMOVSSET.</summary>
    PmuSet,

    /// <summary>PMCNTENCLR, PMINTENCLR, PMOVSCLR.</summary>
    PmuClear,

    /// <summary>PMSWINC_EL0.</summary>
    PmuSoftwareIncrement,

    /// <summary>PMEVCNTRn_EL0.</summary>
    PmuEventCounter,

    /// <summary>TCR2_EL1.</summary>
    Tcr2,

    /// <summary>PIR_EL1, PIRE0_EL1.</summary>
    PermissionIndirection,

    /// <summary>POR_EL1, POR_EL0.</summary>
    PermissionOverlay,

    /// <summary>SCTLR2_EL1.</summary>
    Sctlr2,

    /// <summary>FPMR.</summary>
    FloatingPointMode,
}

/// <summary>Sorts register ids into kinds.</summary>
internal static class RegisterKinds
{
    private static readonly RegisterId FirstFeatureId32 = RegisterId.System(3, 0, 0, 1, 0);
    private static readonly RegisterId FirstFeatureId = RegisterId.System(3, 0, 0, 4, 0);
    private static readonly RegisterId LastFeatureId = RegisterId.System(3, 0, 0, 7, 7);
    private static readonly RegisterId FirstEventCounter = RegisterId.System(3, 3, 14, 8, 0);
    private static readonly RegisterId LastEventCounter = RegisterId.System(3, 3, 14, 11, 6);

    private static readonly FrozenDictionary<RegisterId, RegisterKind> Named = new (RegisterKind Kind, string[] Names)[]
    {
        (RegisterKind.ImplementationId, ["MIDR_EL1", "REVIDR_EL1", "AIDR_EL1"]),
        (RegisterKind.CacheType, ["CTR_EL0"]),
        (RegisterKind.CacheLevels, ["CLIDR_EL1"]),
        (RegisterKind.Affinity, ["MPIDR_EL1"]),
        (RegisterKind.Counter, ["CNTVCT_EL0", "CNTPCT_EL0"]),
        (RegisterKind.TimerControl, ["CNTV_CTL_EL0", "CNTP_CTL_EL0"]),
        (RegisterKind.OsLockStatus, ["OSLSR_EL1"]),
        (RegisterKind.PmuControl, ["PMCR_EL0"]),
        (RegisterKind.PmuSet, ["PMCNTENSET_EL0", "PMINTENSET_EL1", "PMOVSSET_EL0"]),
        (RegisterKind.PmuClear, ["PMCNTENCLR_EL0", "PMINTENCLR_EL1", "PMOVSCLR_EL0"]),
        (RegisterKind.PmuSoftwareIncrement, ["PMSWINC_EL0"]),
        (RegisterKind.Tcr2, ["TCR2_EL1"]),
        (RegisterKind.PermissionIndirection, ["PIR_EL1", "PIRE0_EL1"]),
        (RegisterKind.PermissionOverlay, ["POR_EL1", "POR_EL0"]),
        (RegisterKind.Sctlr2, ["SCTLR2_EL1"]),
        (RegisterKind.FloatingPointMode, ["FPMR"]),
    }.SelectMany(row => row.Names, (row, name) => KeyValuePair.Create(Id(name), row.Kind)).ToFrozenDictionary();

    /// <summary>The register that the catalogue has under a name.</summary>
    public static RegisterId Id(string name) =>
        RegisterCatalog.TryFind(name, out var id) ? id : throw new InvalidOperationException($"the catalogue has no register {name}");

    /// <summary>The kind of a register.</summary>
    public static RegisterKind Of(RegisterId id)
    {
        switch (id.Class)
        {
            case RegisterClass.Demux:
                return RegisterKind.CacheSize;
            case RegisterClass.FirmwareBitmap:
                return RegisterKind.HypercallBitmap;
            case RegisterClass.Sve when id == CoreRegisters.SveLengths:
                return RegisterKind.VectorLengths;
            case RegisterClass.Firmware when id == FirmwareRegisters.PsciVersion:
                return RegisterKind.PsciVersion;
            case RegisterClass.Firmware when id == FirmwareRegisters.Workaround2:
                return RegisterKind.Workaround2;
            case RegisterClass.Firmware when id == FirmwareRegisters.Workaround1 || id == FirmwareRegisters.Workaround3:
                return RegisterKind.Workaround;
            case RegisterClass.System when Named.TryGetValue(id, out var kind):
                return kind;
            case RegisterClass.System when Between(id, FirstFeatureId32, FirstFeatureId):
                return RegisterKind.FeatureId32;
            case RegisterClass.System when id == LastFeatureId || Between(id, FirstFeatureId, LastFeatureId):
                return RegisterKind.FeatureId;
            case RegisterClass.System when id == LastEventCounter || Between(id, FirstEventCounter, LastEventCounter):
                return RegisterKind.PmuEventCounter;
            default:
                return RegisterKind.Raw;
        }
    }

    private static bool Between(RegisterId id, RegisterId first, RegisterId end) => id.CompareTo(first) >= 0 && id.CompareTo(end) < 0;
}
