using Migrate.Model.Machines;
using Migrate.Model.Plans;

namespace Migrate.Preflight.Rules;

/// <summary>A vCPU that waits in SYSTEM_SUSPEND needs a destination that knows that power state.</summary>
/// <remarks>Source: arch/arm64/kvm/arm.c <c>kvm_arch_vcpu_ioctl_set_mpstate</c>: KVM_MP_STATE_SUSPENDED came with KVM_CAP_ARM_SYSTEM_SUSPEND, EINVAL before.</remarks>
internal static class PowerStateRule
{
    public static void Examine(PlanContext context)
    {
        if (context.Capability("arm-system-suspend") != 0) return;
        foreach (var vcpu in context.State.Vcpus)
        {
            if (vcpu.MpState != MpState.Suspended) continue;
            context.Plan.Add(new Finding
            {
                Code = FindingCode.CapabilityMissing,
                Severity = Severity.Refused,
                Evidence = context.Destination.Evidence,
                Subject = "power state",
                Vcpus = [vcpu.Index],
                Here = "suspended",
                There = "no arm-system-suspend",
                Answer = "EINVAL",
                Remedy = "wake the guest before the move, or choose a destination whose kernel has it",
            });
        }
    }
}
