using Migrate.Model.Hosts;
using Migrate.Model.Plans;
using Migrate.Preflight.Registers;

namespace Migrate.Preflight.Rules;

/// <summary>Kernels up to 6.1 have no way to restore the guest's physical timer: a guest that uses CNTP loses it.</summary>
/// <remarks>Source: arch/arm64/include/uapi/asm/kvm.h KVM_REG_ARM_PTIMER_*; arch/arm64/kvm/arch_timer.c.</remarks>
internal static class PhysicalTimerRule
{
    public static RegisterDecision? Relieve(in RegisterCase it)
    {
        if (it.Answer.Kind != AnswerKind.Unknown) return null;
        if (it.Id != KnownRegisters.PhysicalCount && it.Id != KnownRegisters.PhysicalControl && it.Id != KnownRegisters.PhysicalCompare) return null;
        return RegisterDecision.LeaveOut("the destination cannot restore the physical timer",
            it.Finding(FindingCode.RegisterUnknown, Severity.Lossy, there: "no such register",
                remedy: "accept register-unknown if the guest uses the virtual timer alone, as Linux does at EL1"));
    }
}
