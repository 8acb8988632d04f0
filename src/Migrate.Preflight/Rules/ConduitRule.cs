using Migrate.Model.Machines;
using Migrate.Model.Plans;

namespace Migrate.Preflight.Rules;

/// <summary>
/// A guest that makes its firmware calls by SMC needs a kernel that answers them. Some answer every SMC with -1: the guest could not even start a CPU or switch itself off,
/// and no register shows it. A guest with EL2 always calls by SMC, since its HVC goes to its own EL2.
/// </summary>
/// <remarks>
/// Source: arch/arm64/kvm/handle_exit.c <c>handle_smc</c> (before it served SMC from EL1: -1 and on with the next instruction); include/uapi/linux/kvm.h
/// KVM_HYPERCALL_EXIT_SMC: a kernel that hands filtered calls to user space tells the two apart, so one with the filter serves SMC. Arm DEN 0022 (PSCI) section 5.2: the conduit
/// is told to the guest once, by its device tree or ACPI tables.
/// </remarks>
internal static class ConduitRule
{
    private const string Served = "smc";
    private const string Unserved = "smc-not-supported";

    public static void Examine(PlanContext context)
    {
        if (!UsesSmc(context, out var here)) return;
        if (context.HasService(Served) || (!context.HasService(Unserved) && context.Destination.HasSmcccFilter == true)) return;
        if (context.HasService(Unserved))
            context.Find(FindingCode.SmcConduit, Severity.Unsafe, "SMCCC conduit", here, "every SMC is answered -1",
                remedy: "choose a destination whose kernel serves SMC, or create the VM with HVC as its conduit (QEMU: -machine virt,virtualization=off)");
        else
            context.Find(FindingCode.Unproven, Severity.Note, "SMCCC conduit", here, remedy: "probe the destination: whether it serves SMC is not known",
                evidence: Evidence.Assumed);
    }

    private static bool UsesSmc(PlanContext context, out string here)
    {
        here = "SMC: the guest has EL2";
        if (context.State.Vm.Features.Has(VcpuFeatures.El2)) return true;
        here = "SMC";
        foreach (var attribute in context.State.Vm.Attributes)
            if (attribute.Name == VmAttributes.Conduit) return VmAttributes.TextOf(attribute) == VmAttributes.ConduitSmc;
        return false;
    }
}
