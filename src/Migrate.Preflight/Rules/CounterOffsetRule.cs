using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Preflight.Registers;

namespace Migrate.Preflight.Rules;

/// <summary>
/// A VM whose VMM used KVM_ARM_SET_COUNTER_OFFSET has one offset for both counters. It is made again from the guest's own count, since writes of the
/// counters' registers are then answered 0 and ignored. Without the interface the virtual counter goes on by its register and the physical one is the host's.
/// </summary>
/// <remarks>Source: arch/arm64/kvm/arch_timer.c <c>kvm_vm_ioctl_set_counter_offset</c>, <c>kvm_arm_timer_set_reg</c>.</remarks>
internal static class CounterOffsetRule
{
    private const string Subject = "attribute " + VmAttributes.CounterOffset;

    public static void Examine(PlanContext context)
    {
        if (!IsUsed(context)) return;
        if (!context.Destination.KnownAttributes.Contains(VmAttributes.CounterOffset) || context.Capability(VmAttributes.CounterOffset) == 0)
        {
            context.Find(FindingCode.CounterOffset, Severity.Lossy, Subject, "CNTPCT_EL0 goes with CNTVCT_EL0", "CNTPCT_EL0 is the host's own",
                remedy: "choose a destination with KVM_CAP_COUNTER_OFFSET, or accept counter-offset if the guest reads the virtual counter alone, as Linux does at EL1");
        }
        else if (GuestCounter(context) is null)
        {
            context.Find(FindingCode.CounterOffset, Severity.Lossy, Subject, "CNTVCT_EL0 was not captured", "a count that begins anew",
                remedy: "capture again: the guest's time would jump", evidence: Evidence.Measured);
        }
        else if (context.Capability(VmAttributes.CounterOffset) is null)
        {
            context.Find(FindingCode.Unproven, Severity.Note, Subject, "in use",
                remedy: "probe the destination: whether it has KVM_CAP_COUNTER_OFFSET is not known", evidence: Evidence.Assumed);
        }
    }

    /// <summary>Adds the step, behind every write of a counter: these would undo nothing, but as late as possible is the point.</summary>
    public static void AddStep(PlanContext context)
    {
        if (Carries(context)) context.Plan.Add(StepPlace.Counters, new SetCounterOffset(GuestCounter(context)!.Value));
    }

    public static RegisterDecision? Relieve(in RegisterCase it) =>
        KnownRegisters.IsCounter(it.Id) && Carries(it.Context)
            ? RegisterDecision.LeaveOut("the counter offset carries it: KVM ignores writes of a VM that has one") : null;

    private static bool Carries(PlanContext context) => IsUsed(context)
        && context.Destination.KnownAttributes.Contains(VmAttributes.CounterOffset)
        && context.Capability(VmAttributes.CounterOffset) != 0
        && GuestCounter(context) is not null;

    private static bool IsUsed(PlanContext context)
    {
        foreach (var attribute in context.State.Vm.Attributes)
            if (attribute.Name == VmAttributes.CounterOffset) return true;
        return false;
    }

    /// <summary>The count of the first vCPU: all have one offset, and it was read after the last of them stood still.</summary>
    private static ulong? GuestCounter(PlanContext context)
    {
        foreach (var vcpu in context.State.Vcpus)
            if (vcpu.Registers.TryGet(KnownRegisters.VirtualCount, out var value)) return value.Low;
        return null;
    }
}
