using Migrate.Model.Hosts;
using Migrate.Model.Plans;
using Migrate.Preflight.Registers;

namespace Migrate.Preflight.Rules;

/// <summary>
/// The physical timer (CNTP) and counter (CNTPCT_EL0) of the guest. Some kernels cannot restore them, and then cannot read them either: a timer in use is lost
/// and stops the move where that is known; the count becomes the destination's own and is noted, never passed over.
/// </summary>
/// <remarks>
/// Source: arch/arm64/include/uapi/asm/kvm.h KVM_REG_ARM_PTIMER_*; arch/arm64/kvm/arch_timer.c. A timer that is off and was never set (CNTP_CTL_EL0.ENABLE and
/// CNTP_CVAL_EL0 zero) is what a new vCPU has, so nothing of it is lost. The count is another matter: a guest may read CNTPCT_EL0 at any time, and without an offset for it
/// (KVM_ARM_SET_COUNTER_OFFSET, FEAT_ECV's CNTPOFF_EL2 or a trap) it reads the host's counter, as on every kernel that does not list the register. It is no loss of what was
/// promised, since such a guest's count was the source host's own, but it is visible, so it is said. A VM with the attribute <c>counter-offset</c> was promised a count of its own:
/// <see cref="CounterOffsetRule"/> stops it.
/// </remarks>
internal static class PhysicalTimerRule
{
    private const ulong Enable = 1;

    private const string Jumps = "the destination host's own count: it jumps";

    private const string Virtual = "none for a guest that tells time by the virtual counter, as Linux does at EL1";

    /// <summary>A source that reads the whole of the virtual timer and nothing of the physical one has a kernel that cannot.</summary>
    public static void Examine(PlanContext context)
    {
        foreach (var vcpu in context.State.Vcpus)
        {
            if (!vcpu.Registers.Contains(KnownRegisters.VirtualCompare) || vcpu.Registers.Contains(KnownRegisters.PhysicalControl)
                || vcpu.Registers.Contains(KnownRegisters.PhysicalCount)) continue;
            context.Find(FindingCode.CounterOffset, Severity.Note, "CNTPCT_EL0, CNTP_CTL_EL0, CNTP_CVAL_EL0", "the source's kernel does not let them be read",
                "the timer is off, the count is the destination host's own", remedy: Virtual, evidence: Evidence.Measured);
            return;
        }
    }

    public static RegisterDecision? Relieve(in RegisterCase it)
    {
        if (it.Answer.Kind != AnswerKind.Unknown) return null;
        if (it.Id != KnownRegisters.PhysicalCount && it.Id != KnownRegisters.PhysicalControl && it.Id != KnownRegisters.PhysicalCompare) return null;
        if (it.Guest(KnownRegisters.PhysicalControl) is { } control && (control & Enable) == 0 && it.Guest(KnownRegisters.PhysicalCompare) == 0)
            return it.Id == KnownRegisters.PhysicalCount
                ? RegisterDecision.LeaveOut("the destination cannot restore the physical count: " + Jumps,
                    it.Finding(FindingCode.CounterOffset, Severity.Note, here: "its physical timer is off and was never set", there: Jumps, remedy: Virtual))
                : it.LeftOut("the guest's physical timer is off and was never set", together: "physical timer");
        return RegisterDecision.LeaveOut("the destination cannot restore the physical timer",
            it.Finding(FindingCode.RegisterUnknown, Severity.Lossy, there: "no such register",
                remedy: "accept register-unknown if the guest uses the virtual timer alone, as Linux does at EL1"));
    }
}
