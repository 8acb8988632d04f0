using System.Diagnostics.CodeAnalysis;
using Migrate.Model;
using Migrate.Model.Machines;
using Migrate.Model.Plans;

namespace Migrate.Preflight.Rules;

/// <summary>Attributes of vCPUs that the destination lacks: what the guest relies on is a refusal by name, what it cannot see is left out.</summary>
/// <remarks>Sources: Documentation/virt/kvm/devices/vcpu.rst; arch/arm64/kvm/arch_timer.c, pmu-emul.c, pvtime.c: ENXIO for what a kernel does not have (stolen time: without schedstat information, <c>kvm_arm_pvtime_supported</c>).</remarks>
internal static class VcpuAttributeRule
{
    private const string Kind = "vcpu";

    private sealed record Known(uint Group, uint Attribute, string Capability, string Words, bool NeedsEl2 = false, string InQemu = "");

    /// <summary>By the numbers of arch/arm64/include/uapi/asm/kvm.h, with the names that a probe gives them.</summary>
    private static readonly Known[] Table =
    [
        new(0, 0, "vcpu-attr.pmu-irq", "interrupt of the performance monitors", InQemu: " (QEMU: -cpu host,pmu=off)"),
        new(0, 1, "vcpu-attr.pmu-init", "performance monitors", InQemu: " (QEMU: -cpu host,pmu=off)"),
        new(1, 0, "vcpu-attr.timer-virtual", "interrupt of the virtual timer"),
        new(1, 1, "vcpu-attr.timer-physical", "interrupt of the physical timer"),
        new(1, 2, "vcpu-attr.timer-hypervisor-virtual", "interrupt of the virtual EL2 timer", NeedsEl2: true),
        new(1, 3, "vcpu-attr.timer-hypervisor-physical", "interrupt of the physical EL2 timer", NeedsEl2: true),
        new(2, 0, "vcpu-attr.stolen-time", "stolen time", InQemu: " (QEMU: -cpu host,kvm-steal-time=off)"),
    ];

    public static void Examine(PlanContext context)
    {
        foreach (var device in context.State.Devices)
        {
            if (device.Kind != Kind) continue;
            foreach (var attribute in device.Attributes)
            {
                if (!IsMissing(context, attribute, out var known))
                {
                    if (known is not null && context.Capability(known.Capability) is null)
                        context.Find(FindingCode.Unproven, Severity.Note, known.Words, "in use",
                            remedy: $"probe the destination: whether it has {known.Capability} is not known", evidence: Evidence.Assumed);
                    continue;
                }
                var unseen = IsUnseen(context, known);
                context.Plan.Add(new Finding
                {
                    Code = unseen ? FindingCode.LeftOut : FindingCode.VcpuAttribute,
                    Severity = unseen ? Severity.Note : Severity.Refused,
                    Evidence = context.Destination.Evidence,
                    Subject = known.Words,
                    Vcpus = [(int)(attribute.Attribute >> 32)],
                    Here = "in use",
                    There = unseen ? "the guest has no EL2" : $"no {known.Capability}",
                    Answer = "ENXIO",
                    Remedy = unseen ? "" : "choose a destination whose kernel has it, or create the VM without it" + known.InQemu,
                });
            }
        }
    }

    /// <summary>A device's state without what is left out: because the guest cannot see it, or because the operator accepts its loss.</summary>
    public static DeviceState Kept(PlanContext context, DeviceState device) => device.Kind != Kind ? device
        : device with { Attributes = device.Attributes.Where(a => !IsLeftOut(context, a)).ToEquatableArray() };

    private static bool IsLeftOut(PlanContext context, DeviceAttribute attribute) =>
        IsMissing(context, attribute, out var known) && (IsUnseen(context, known) || context.Options.Accept.Contains(FindingCode.VcpuAttribute));

    private static bool IsMissing(PlanContext context, DeviceAttribute attribute, [NotNullWhen(true)] out Known? known)
    {
        known = Array.Find(Table, k => k.Group == attribute.Group && k.Attribute == (uint)attribute.Attribute);
        return known is not null && context.Capability(known.Capability) == 0;
    }

    private static bool IsUnseen(PlanContext context, Known known) => known.NeedsEl2 && !context.State.Vm.Features.Has(VcpuFeatures.El2);
}
