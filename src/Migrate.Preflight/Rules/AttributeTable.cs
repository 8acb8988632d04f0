using Migrate.Model.Machines;
using Migrate.Model.Plans;

namespace Migrate.Preflight.Rules;

/// <summary>One attribute that this build restores.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Place">Where its step stands.</param>
/// <param name="HostCapability">What the destination's profile calls what it needs.</param>
/// <param name="Missing">What kind of finding its absence is.</param>
internal sealed record AttributeEntry(string Name, StepPlace Place, string HostCapability, FindingCode Missing);

/// <summary>Every attribute that KVM needs help with, in the order in which they are given.</summary>
/// <remarks>Sources: arch/arm64/kvm/arm.c <c>kvm_vm_ioctl_enable_cap</c>, pmu-emul.c <c>kvm_arm_pmu_v3_set_attr</c>, virt/kvm/kvm_main.c.</remarks>
internal static class AttributeTable
{
    /// <summary>The table. The ring comes before its bitmap (EINVAL); choosing a PMU resets the number of counters and is EBUSY once it is filtered.</summary>
    public static IReadOnlyList<AttributeEntry> All { get; } =
    [
        Capability(VmAttributes.WritableImplementation),
        Capability(VmAttributes.SystemSuspend),
        Capability(VmAttributes.NoSyndromeToUser),
        Capability(VmAttributes.ExternalAbortToUser),
        Capability(VmAttributes.DirtyRing),
        Capability(VmAttributes.DirtyRingWithBitmap),
        new(VmAttributes.PmuName, StepPlace.Pmu, "vcpu-attr.pmu-set-pmu", FindingCode.Pmu),
        new(VmAttributes.PmuCounters, StepPlace.Pmu, "vcpu-attr.pmu-set-counters", FindingCode.Pmu),
        new(VmAttributes.PmuFilter, StepPlace.Pmu, "vcpu-attr.pmu-filter", FindingCode.Pmu),
        new(VmAttributes.CounterOffset, StepPlace.Counters, "counter-offset", FindingCode.CounterOffset),
    ];

    private static readonly Dictionary<string, int> Index = All.Select((entry, index) => (entry.Name, index)).ToDictionary(e => e.Name, e => e.index);

    /// <summary>The entry of a name; null for an attribute of some VMM's own.</summary>
    public static AttributeEntry? Find(string name) => Index.TryGetValue(name, out var index) ? All[index] : null;

    /// <summary>A description's attributes in the order of the table, the others behind them as they come.</summary>
    public static IEnumerable<VmAttribute> InOrder(IEnumerable<VmAttribute> attributes) =>
        attributes.OrderBy(a => Index.GetValueOrDefault(a.Name, All.Count));

    private static AttributeEntry Capability(string name) =>
        new(name, StepPlace.Attributes, name[VmAttributes.CapabilityPrefix.Length..], FindingCode.CapabilityMissing);
}
