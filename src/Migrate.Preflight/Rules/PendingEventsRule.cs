using Migrate.Model.Plans;

namespace Migrate.Preflight.Rules;

/// <summary>An SError that is pending with a syndrome of its own needs a CPU with RAS, and a syndrome that fits.</summary>
/// <remarks>Source: arch/arm64/kvm/guest.c <c>__kvm_arm_vcpu_set_events</c>: EINVAL otherwise; KVM_CAP_ARM_INJECT_SERROR_ESR says whether the CPU has RAS.</remarks>
internal static class PendingEventsRule
{
    /// <summary>ESR_ELx.ISS, bits 24:0.</summary>
    private const ulong Syndrome = 0x1ff_ffff;

    public static void Examine(PlanContext context)
    {
        foreach (var vcpu in context.State.Vcpus)
        {
            var events = vcpu.Events;
            // Without a pending SError its syndrome is not looked at.
            if (!events.SErrorPending || !events.SErrorHasEsr) continue;
            var missing = context.Capability("arm-inject-serror-esr") == 0;
            if (!missing && (events.SErrorEsr & ~Syndrome) == 0) continue;
            context.Plan.Add(new Finding
            {
                Code = FindingCode.StepRefused,
                Severity = Severity.Refused,
                Evidence = context.Destination.Evidence,
                Subject = "pending events",
                Vcpus = [vcpu.Index],
                Here = $"SError with syndrome 0x{events.SErrorEsr:x}",
                There = missing ? "no arm-inject-serror-esr" : "a syndrome of 25 bits",
                Answer = "EINVAL",
                Remedy = missing ? "let the guest take the SError before the move, or choose a destination whose CPU has RAS" : "correct the state: no CPU has such a syndrome",
            });
        }
    }
}
