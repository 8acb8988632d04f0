using Migrate.Model.Machines;
using Migrate.Model.Plans;

namespace Migrate.Model.Hosts;

/// <summary>What one boot of one host accepts: acceptance as data, measured by a probe or assumed by the converter of a foreign file.</summary>
public sealed record HostProfile
{
    /// <summary>Which boot this was measured on; another boot makes the profile stale.</summary>
    public required BootIdentity Boot { get; init; }

    /// <summary>Whether the host was asked (<see cref="Plans.Evidence.Measured"/>) or the answers are derived (<see cref="Plans.Evidence.Assumed"/>).</summary>
    public required Evidence Evidence { get; init; }

    /// <summary>Where an assumed profile comes from, for people; empty for a measured one.</summary>
    public string Origin { get; init; } = "";

    /// <summary>VM types that KVM_CREATE_VM accepts, by IPA bits; empty where unknown. The default type 0 asks for 40.</summary>
    public EquatableArray<int> IpaSizes { get; init; }

    /// <summary>Whether the host can install an SMCCC filter (KVM_ARM_VM_SMCCC_FILTER); null where unknown.</summary>
    public bool? HasSmcccFilter { get; init; }

    /// <summary>
    /// Capabilities by KVM_CAP name in kebab case without the prefix (<c>arm-writable-imp-id-regs</c>), and what KVM_CHECK_EXTENSION returned; also devices and
    /// device attributes, 1 where there (<c>device.gicv3</c>, <c>vcpu-attr.pmu-filter</c>), and the PMUs that a VM can choose, by name (<c>pmu.armv8_pmuv3</c>).
    /// </summary>
    public EquatableArray<HostCapability> Capabilities { get; init; }

    /// <summary>Hypercall services that the kernel answers by itself (<c>psci-1.3</c>, <c>trng</c>, <c>pv-time</c>, <c>ptp</c>).</summary>
    public EquatableArray<string> Services { get; init; }

    /// <summary>Handlers that the VMM on this host offers to guests (<c>psci</c>, <c>sdei</c>).</summary>
    public EquatableArray<string> Handlers { get; init; }

    /// <summary>VM attribute names that the VMM on this host knows; an unknown required one is a refusal.</summary>
    public EquatableArray<string> KnownAttributes { get; init; }

    /// <summary>CNTFRQ_EL0 in Hz; 0 where unknown.</summary>
    public ulong CounterFrequency { get; init; }

    /// <summary>One entry for every combination of features, capabilities and GIC that was measured.</summary>
    public required EquatableArray<HostShape> Shapes { get; init; }

    /// <summary>What the host answered for one of <see cref="Capabilities"/>; null where nobody asked.</summary>
    public long? Capability(string name)
    {
        foreach (var capability in Capabilities)
            if (capability.Name == name) return capability.Value;
        return null;
    }

    /// <summary>The shape a VM of these features and this GIC has here; null when it was not measured: then the verdict is unproven, never interpolated.</summary>
    /// <remarks>The register interface depends on the GIC only in fields that KVM recomputes at first run, so a shape without GIC serves where none with it was measured.</remarks>
    public HostShape? Shape(VcpuFeatures features, GicKind gic)
    {
        HostShape? without = null;
        foreach (var shape in Shapes)
        {
            if (shape.Features != features.Shape) continue;
            if (shape.Gic == gic) return shape;
            if (shape.Gic == GicKind.None) without = shape;
        }
        return without;
    }
}

/// <summary>One boot of one host. A profile is valid for this boot alone.</summary>
public sealed record BootIdentity
{
    /// <summary>/proc/sys/kernel/random/boot_id; empty for a converted file.</summary>
    public string BootId { get; init; } = "";

    /// <summary>The host's name for people.</summary>
    public string HostName { get; init; } = "";

    /// <summary>uname -r. For people only: no rule reads it.</summary>
    public string KernelRelease { get; init; } = "";

    /// <summary>uname -v.</summary>
    public string KernelBuild { get; init; } = "";

    /// <summary>/proc/cmdline: ID-register overrides on it change what KVM accepts.</summary>
    public string CommandLine { get; init; } = "";

    /// <summary>How KVM runs: <c>vhe</c>, <c>nvhe</c>, <c>protected</c>, <c>simulated</c>, or empty.</summary>
    public string KvmMode { get; init; } = "";

    /// <summary>Host page size in bytes; 0 where unknown.</summary>
    public int PageSize { get; init; }
}

/// <summary>A capability and what KVM_CHECK_EXTENSION returned for it.</summary>
/// <param name="Name">KVM_CAP name in kebab case without the prefix.</param>
/// <param name="Value">0 absent, else as the capability defines.</param>
public readonly record struct HostCapability(string Name, long Value);
