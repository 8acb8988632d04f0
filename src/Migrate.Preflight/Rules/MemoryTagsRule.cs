using Migrate.Model.Machines;
using Migrate.Model.Plans;

namespace Migrate.Preflight.Rules;

/// <summary>Tags of memory tagging lie beside guest memory. They are not carried, so a guest that has them is refused rather than moved without.</summary>
/// <remarks>
/// KVM shows ID_AA64PFR1_EL1.MTE above 1 only to a VM with KVM_CAP_ARM_MTE (arch/arm64/kvm/sys_regs.c <c>read_id_reg</c>), so that a capture that says
/// nothing of capabilities is recognised too.
/// </remarks>
internal static class MemoryTagsRule
{
    private const int Shift = 8;

    public static void Examine(PlanContext context)
    {
        foreach (var attribute in context.State.Vm.Attributes)
        {
            if (attribute.Name != VmAttributes.MemoryTags) continue;
            Refuse(context, $"attribute {VmAttributes.MemoryTags}");
            return;
        }
        foreach (var vcpu in context.State.Vcpus)
        {
            if (!vcpu.Registers.TryGet(KnownRegisters.Pfr1, out var value) || (value.Low >> Shift & 0xf) < 2) continue;
            Refuse(context, "ID_AA64PFR1_EL1.MTE");
            return;
        }
    }

    private static void Refuse(PlanContext context, string subject) =>
        context.Find(FindingCode.MemoryTags, Severity.Refused, subject, "in use", "tags are not carried",
            remedy: "create the VM without memory tagging (QEMU: mte=off)", evidence: Evidence.Measured);
}
