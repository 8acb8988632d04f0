using Migrate.Model.Firmware;
using Migrate.Model.Registers;

namespace Migrate.Kvm.Probe;

/// <summary>A field that decides what other registers take.</summary>
/// <param name="Controller">The register.</param>
/// <param name="Shift">The field's lowest bit.</param>
/// <param name="Width">Its width.</param>
/// <param name="Dependents">The registers that are measured again under each of its values.</param>
internal sealed record Coupling(RegisterId Controller, int Shift, int Width, IReadOnlyList<RegisterId> Dependents);

/// <summary>Which registers depend on which field.</summary>
/// <remarks>
/// Registers that appear or vanish with a field are found by listing again and need no row. A row is for those whose values are judged otherwise.
/// Not here: what the features, the GIC and the vector lengths decide, because each of those is a shape of its own.
/// </remarks>
internal static class Couplings
{
    /// <summary>The table.</summary>
    public static IReadOnlyList<Coupling> All { get; } =
    [
        // arch/arm64/kvm/sys_regs.c tcr2_visibility, sctlr2_visibility, s1pie_visibility, s1poe_visibility.
        Of("ID_AA64MMFR3_EL1", "TCRX", "TCR2_EL1"),
        Of("ID_AA64MMFR3_EL1", "SCTLRX", "SCTLR2_EL1"),
        Of("ID_AA64MMFR3_EL1", "S1PIE", "PIR_EL1", "PIRE0_EL1"),
        Of("ID_AA64MMFR3_EL1", "S1POE", "POR_EL1", "POR_EL0"),
        // fp8_visibility.
        Of("ID_AA64PFR2_EL1", "FPMR", "FPMR"),
        // arch/arm64/kvm/hypercalls.c get_kernel_wa_level: whether the VM has SSBS decides the level of a host that mitigates.
        Of("ID_AA64PFR1_EL1", "SSBS", RegisterCatalog.Name(FirmwareRegisters.Workaround2)),
        // arch/arm64/kvm/pmu-emul.c kvm_pmc_is_64bit: from PMUv3.5 on event counters have 64 bits.
        Of("ID_AA64DFR0_EL1", "PMUVer", ["PMCR_EL0", "PMCCNTR_EL0", .. Enumerable.Range(0, 31).Select(n => $"PMEVCNTR{n}_EL0")]),
        // arch/arm64/kvm/sys_regs.c set_pmcr, kvm_pmu_accessible_counter_mask: the masks have a bit for each counter of the VM.
        Of("PMCR_EL0", "N", "PMCNTENSET_EL0", "PMCNTENCLR_EL0", "PMOVSSET_EL0", "PMOVSCLR_EL0", "PMINTENSET_EL1", "PMINTENCLR_EL1"),
    ];

    /// <summary>Timer controls whose status bit follows a compare value: measured under an early and a late one.</summary>
    public static IReadOnlyList<(RegisterId Control, RegisterId Compare)> TimerStatus { get; } =
    [
        // KVM_REG_ARM_TIMER_CVAL has the id of another register: arch/arm64/include/uapi/asm/kvm.h.
        (RegisterId.System(3, 3, 14, 3, 1), RegisterId.System(3, 3, 14, 0, 2)),
        (RegisterId.System(3, 3, 14, 2, 1), RegisterId.System(3, 3, 14, 2, 2)),
    ];

    /// <summary>Whether the GIC decides about a register.</summary>
    /// <remarks>arch/arm64/kvm/sys_regs.c <c>kvm_finalize_sys_regs</c>, vgic-init.c <c>kvm_vgic_finalize_idregs</c>; the CPU interface's own registers.</remarks>
    public static bool OfGic(RegisterId id) => Array.IndexOf(GicRegisters, id) >= 0 || RegisterCatalog.Find(id) is { Group: RegisterGroup.InterruptController };

    private static readonly RegisterId[] GicRegisters = [Find("ID_AA64PFR0_EL1"), Find("ID_AA64PFR2_EL1"), Find("ID_PFR1_EL1")];

    private static Coupling Of(string controller, string field, params string[] dependents)
    {
        var id = Find(controller);
        var place = RegisterCatalog.Find(id)!.Fields.Single(f => f.Name == field);
        return new Coupling(id, place.Shift, place.Width, [.. dependents.Select(Find)]);
    }

    private static RegisterId Find(string name) =>
        RegisterCatalog.TryFind(name, out var id) ? id : throw new InvalidOperationException($"the catalogue has no register {name}");
}
