using Migrate.Model.Hosts;
using Migrate.Model.Plans;
using Migrate.Preflight.Registers;

namespace Migrate.Preflight.Rules;

/// <summary>Kernels up to 6.1 have no way to restore the guest's physical timer: a guest that uses CNTP loses it.</summary>
/// <remarks>
/// Source: arch/arm64/include/uapi/asm/kvm.h KVM_REG_ARM_PTIMER_*; arch/arm64/kvm/arch_timer.c. A timer that is off and was never set (CNTP_CTL_EL0.ENABLE and
/// CNTP_CVAL_EL0 zero) is what a new vCPU has, so nothing of it is lost; the physical count is then the host's, as on every such kernel.
/// </remarks>
internal static class PhysicalTimerRule
{
    private const ulong Enable = 1;

    public static RegisterDecision? Relieve(in RegisterCase it)
    {
        if (it.Answer.Kind != AnswerKind.Unknown) return null;
        if (it.Id != KnownRegisters.PhysicalCount && it.Id != KnownRegisters.PhysicalControl && it.Id != KnownRegisters.PhysicalCompare) return null;
        if (it.Guest(KnownRegisters.PhysicalControl) is { } control && (control & Enable) == 0 && it.Guest(KnownRegisters.PhysicalCompare) == 0)
            return it.LeftOut("the guest's physical timer is off and was never set; its physical count becomes the destination's", together: "physical timer");
        return RegisterDecision.LeaveOut("the destination cannot restore the physical timer",
            it.Finding(FindingCode.RegisterUnknown, Severity.Lossy, there: "no such register",
                remedy: "accept register-unknown if the guest uses the virtual timer alone, as Linux does at EL1"));
    }
}
