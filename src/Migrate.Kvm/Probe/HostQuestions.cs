using Migrate.Kvm.Handles;
using Migrate.Kvm.Native;
using Migrate.Model;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;

namespace Migrate.Kvm.Probe;

/// <summary>What is asked of the host as a whole, each question once.</summary>
internal static class HostQuestions
{
    private const int SmallestIpa = 32;
    private const int LargestIpa = 56;
    private const ulong ProtectedType = 1UL << 31;

    // A single function of the vendor hypervisor range that nobody has given a meaning.
    private static readonly SmcccFilterRange Harmless = new(0xc600_0fff, 1, SmcccAction.Deny);

    private static readonly (string Name, DeviceKind Kind)[] Devices =
    [
        ("device.gicv2", DeviceKind.GicV2), ("device.gicv3", DeviceKind.GicV3), ("device.its", DeviceKind.Its), ("device.gicv5", DeviceKind.GicV5),
    ];

    private static readonly (string Name, uint Group, ulong Attribute)[] VcpuAttributeTable =
    [
        ("vcpu-attr.pmu-irq", VcpuAttributes.PmuControl, VcpuAttributes.PmuInterrupt),
        ("vcpu-attr.pmu-init", VcpuAttributes.PmuControl, VcpuAttributes.PmuInit),
        ("vcpu-attr.pmu-filter", VcpuAttributes.PmuControl, VcpuAttributes.PmuFilter),
        ("vcpu-attr.pmu-set-pmu", VcpuAttributes.PmuControl, VcpuAttributes.PmuSetPmu),
        ("vcpu-attr.pmu-set-counters", VcpuAttributes.PmuControl, VcpuAttributes.PmuSetCounters),
        ("vcpu-attr.timer-virtual", VcpuAttributes.TimerControl, VcpuAttributes.TimerVirtual),
        ("vcpu-attr.timer-physical", VcpuAttributes.TimerControl, VcpuAttributes.TimerPhysical),
        ("vcpu-attr.timer-hypervisor-virtual", VcpuAttributes.TimerControl, VcpuAttributes.TimerHypervisorVirtual),
        ("vcpu-attr.timer-hypervisor-physical", VcpuAttributes.TimerControl, VcpuAttributes.TimerHypervisorPhysical),
        ("vcpu-attr.stolen-time", VcpuAttributes.StolenTimeControl, VcpuAttributes.StolenTimeAddress),
    ];

    private static readonly (string Name, uint Group, ulong Attribute)[] GicV3Registers =
    [
        (GicV3State.OwnIidr, VgicGroup.Distributor, GicV3State.Iidr),
        (GicV3State.OwnTyper2, VgicGroup.Distributor, GicV3State.Typer2),
        (GicV3State.OwnIccCtlr, VgicGroup.CpuSystemRegisters, GicV3State.IccCtlr),
    ];

    /// <summary>The sizes of guest physical address that KVM_CREATE_VM takes.</summary>
    public static EquatableArray<int> IpaSizes(IProbeHost host) =>
        Enumerable.Range(SmallestIpa, LargestIpa - SmallestIpa + 1).Where(bits => host.TryVmType((ulong)bits) == 0).ToEquatableArray();

    /// <summary>How KVM runs, as far as it shows: only pKVM makes protected VMs, and only VHE nests. Empty where neither is to be seen.</summary>
    public static string KvmMode(IProbeHost host)
    {
        if (host.TryVmType(ProtectedType) == 0) return "protected";
        return host.CheckExtension((int)Capability.ArmEl2) > 0 ? "vhe" : "";
    }

    /// <summary>Every capability with a name.</summary>
    public static IEnumerable<HostCapability> Capabilities(IProbeHost host) =>
        Enum.GetValues<Capability>().Select(c => new HostCapability(KebabCase.Of(c.ToString()), host.CheckExtension((int)c)));

    /// <summary>Devices and device attributes, 1 where there; named beside the capabilities, as they are one more way to say what a kernel can.</summary>
    /// <param name="vm">A VM with the most features, and a GIC where the host has one.</param>
    public static IEnumerable<HostCapability> Attributes(IProbeVm vm)
    {
        foreach (var (name, kind) in Devices) yield return Flag(name, vm.TryDevice((uint)kind));
        yield return Flag("vm-attr.smccc-filter", vm.HasVmAttribute(VmControl.SmcccControl, VmControl.SmcccFilter));
        foreach (var (name, group, attribute) in VcpuAttributeTable) yield return Flag(name, vm.HasVcpuAttribute(0, group, attribute));
        foreach (var pmu in vm.Pmus()) yield return Flag($"pmu.{pmu}", 0);
    }

    /// <summary>What a GICv3 says of itself, and the revisions that it takes: what a guest's must agree with to be restored. Registers that it refuses are left out.</summary>
    /// <remarks>Source: arch/arm64/kvm/vgic/vgic-mmio-v3.c <c>vgic_mmio_uaccess_write_v3_misc</c>, vgic-sys-reg-v3.c <c>set_gic_ctlr</c>.</remarks>
    /// <param name="vm">A VM with a GICv3 that is initialised.</param>
    public static IEnumerable<HostCapability> GicV3(IProbeVm vm)
    {
        foreach (var (name, group, attribute) in GicV3Registers)
            if (vm.GetGic(group, attribute, out var value) == 0) yield return new HostCapability(name, (long)value);
        if (vm.GetGic(VgicGroup.Distributor, GicV3State.Iidr, out var own) != 0) yield break;
        for (var revision = 0; revision <= GicV3State.MostRevision; revision++)
        {
            var written = GicV3State.WithRevision(own, revision);
            if (vm.SetGic(VgicGroup.Distributor, GicV3State.Iidr, written) != 0) continue;
            var isKept = vm.GetGic(VgicGroup.Distributor, GicV3State.Iidr, out var kept) == 0 && kept == written;
            yield return new HostCapability(GicV3State.TakesRevision(revision), isKept ? GicV3State.Kept : GicV3State.Ignored);
        }
    }

    /// <summary>The interrupt controllers that a VM can have; none is one.</summary>
    public static IReadOnlyList<GicKind> Gics(IProbeVm vm)
    {
        var kinds = new List<GicKind> { GicKind.None };
        if (vm.TryDevice((uint)DeviceKind.GicV3) == 0) kinds.Add(GicKind.GicV3);
        if (vm.TryDevice((uint)DeviceKind.GicV2) == 0) kinds.Add(GicKind.GicV2);
        return kinds;
    }

    /// <summary>Whether a filter can be installed, found by installing one that refuses a single call nobody makes.</summary>
    public static bool HasSmcccFilter(IProbeVm vm) => vm.InstallFilter(Harmless) == 0;

    private static HostCapability Flag(string name, int errno) => new(name, errno == 0 ? 1 : 0);
}
