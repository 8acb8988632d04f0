using Migrate.Model.Machines;
using Migrate.Model.Plans;

namespace Migrate.Preflight.Rules;

/// <summary>The destination must have the guest's interrupt controller, with as many interrupts.</summary>
/// <remarks>
/// Source: arch/arm64/kvm/vgic/vgic-kvm-device.c <c>vgic_set_common_attr</c>: 64 to 1023 interrupts in steps of 32, else EINVAL; virt/kvm/kvm_main.c
/// <c>kvm_ioctl_create_device</c>: ENODEV for a device that the host has not.
/// </remarks>
internal static class InterruptControllerRule
{
    /// <summary>SGIs and PPIs, and one word of shared interrupts.</summary>
    private const int Fewest = 64;

    /// <summary>VGIC_MAX_RESERVED.</summary>
    private const int Most = 1023;

    public static void Examine(PlanContext context)
    {
        var gic = context.State.Vm.Gic;
        if (gic.Kind == GicKind.None) return;
        var device = gic.Kind switch { GicKind.GicV2 => "GICv2", GicKind.GicV3 => "GICv3", _ => "GICv5" };
        Demand(context, device);
        if (gic.Its != 0) Demand(context, "ITS");
        // 0: the kernel's own number, which every kernel takes.
        if (gic.Interrupts == 0 || (gic.Interrupts is >= Fewest and <= Most && gic.Interrupts % 32 == 0)) return;
        Refuse(context, "GIC interrupts", $"{gic.Interrupts}", $"{Fewest} to {Most}, a multiple of 32", "EINVAL", "correct the VM's description: no KVM makes such a controller");
    }

    private static void Demand(PlanContext context, string device)
    {
        var name = "device." + device.ToLowerInvariant();
        if (context.Capability(name) == 0)
            Refuse(context, device, "in use", $"no {name}", "ENODEV", "choose a destination that has it, or create the VM without it");
    }

    private static void Refuse(PlanContext context, string subject, string here, string there, string answer, string remedy) =>
        context.Find(FindingCode.StepRefused, Severity.Refused, subject, here, there, answer, remedy);
}
