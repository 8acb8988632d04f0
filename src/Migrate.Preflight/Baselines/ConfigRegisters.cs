using Migrate.Model.Registers;

namespace Migrate.Preflight.Baselines;

/// <summary>The registers that make a VM's configuration: what a VMM may choose at creation and a guest cannot.</summary>
internal static class ConfigRegisters
{
    /// <summary>PMCR_EL0 is the guest's, but the number of its counters (N) is the VM's. MPIDR_EL1 is a vCPU's name.</summary>
    public static bool Contains(RegisterId id) => id.Class switch
    {
        RegisterClass.Firmware or RegisterClass.FirmwareBitmap or RegisterClass.Demux => true,
        RegisterClass.Sve => id == KnownRegisters.SveLengths,
        _ => id == KnownRegisters.Pmcr || (KnownRegisters.IsIdentification(id) && id != KnownRegisters.Mpidr),
    };

    /// <summary>The bits of a register that a VMM may choose: of PMCR_EL0 the number of counters (N), of any other all.</summary>
    public static ulong Bits(RegisterId id) => id == KnownRegisters.Pmcr ? 0x1fUL << 11 : ulong.MaxValue;

    /// <summary>The order in which a configuration writes: as a restore does, and within a place by id, AArch32 and cache geometry last, so that it does not depend on a host's list.</summary>
    public static (StepPlace Place, int Rank, ulong Id) Order(RegisterId id) =>
        (StepOrder.PlaceOf(id, null), id.Class == RegisterClass.Demux ? 2 : KnownRegisters.IsAArch32Feature(id) ? 1 : 0, id.Value);

    /// <summary>Registers that rules look at when they judge another: kept in the small states that a search plans with.</summary>
    public static RegisterId[] Context { get; } =
    [
        KnownRegisters.Mmfr2, KnownRegisters.Mmfr3, KnownRegisters.Clidr, KnownRegisters.Pmcr, KnownRegisters.Dfr0, KnownRegisters.Pfr0, KnownRegisters.Pfr1,
    ];
}
