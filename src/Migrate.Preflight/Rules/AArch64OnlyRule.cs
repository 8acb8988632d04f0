using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Preflight.Registers;

namespace Migrate.Preflight.Rules;

/// <summary>Feature registers of AArch32 in a guest whose CPU has AArch64 alone: kernels disagree about values that mean nothing.</summary>
/// <remarks>
/// The architecture calls ID_PFR0_EL1 to MVFR2_EL1 UNKNOWN on such a CPU (Arm ARM, D24.2, each register's configurations). Linux 5.10 takes the hardware's
/// value and no other; 6.1 reads zero and ignores writes; later ones ignore writes too, and ID_DFR0_EL1 nevertheless shows the PMU that the VM has.
/// Source: arch/arm64/kvm/sys_regs.c <c>aa32_id_visibility</c>, <c>read_sanitised_id_dfr0_el1</c>.
/// </remarks>
internal static class AArch64OnlyRule
{
    /// <summary>ID_AA64PFR0_EL1.EL0: AArch64 and nothing else.</summary>
    private const ulong AArch64Alone = 1;

    public static RegisterDecision? Relieve(in RegisterCase it)
    {
        if (it.Answer.Kind is not (AnswerKind.Changed or AnswerKind.Refused or AnswerKind.Unknown) || !KnownRegisters.IsAArch32Feature(it.Id)) return null;
        if (it.Context.State.Vm.Features.Has(VcpuFeatures.El1Is32Bit)) return null;
        return it.Guest(KnownRegisters.Pfr0) is { } fields && (fields & 0xf) == AArch64Alone
            ? it.LeftOut("the guest's ID_AA64PFR0_EL1.EL0 is 1: its CPU has no AArch32 that the register could describe", together: "feature registers of AArch32") : null;
    }
}
