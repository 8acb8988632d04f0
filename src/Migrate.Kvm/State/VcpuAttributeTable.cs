using Migrate.Kvm.Native;

namespace Migrate.Kvm.State;

/// <summary>What vCPUs hold as device attributes: interrupts of the performance monitors and timers, and where stolen time is counted.</summary>
/// <remarks>
/// Bits 63:32 of an attribute are the vCPU's number, the rest is KVM's. Sources: Documentation/virt/kvm/devices/vcpu.rst;
/// arch/arm64/kvm/pmu-emul.c, arch_timer.c, pvtime.c.
/// </remarks>
internal static class VcpuAttributeTable
{
    /// <summary>The blocks.</summary>
    public static IReadOnlyList<AttributeBlock> Blocks { get; } =
    [
        new("PMU interrupt", VcpuAttributes.PmuControl, 4, g => g.HasPmu && g.HasGic ? PerVcpu(g, VcpuAttributes.PmuInterrupt) : [],
            "Before the PMU is initialised: ENXIO without it, EBUSY after."),
        new("PMU init", VcpuAttributes.PmuControl, 4, g => g.HasPmu ? PerVcpu(g, VcpuAttributes.PmuInit) : [],
            "After the interrupt and the GIC's own init (ENODEV); without it the first KVM_RUN is refused.")
        {
            Use = AttributeUse.Command,
        },
        new("timer interrupts", VcpuAttributes.TimerControl, 4,
            g => g.HasGic
                ? PerVcpu(g, VcpuAttributes.TimerVirtual, VcpuAttributes.TimerPhysical, VcpuAttributes.TimerHypervisorVirtual, VcpuAttributes.TimerHypervisorPhysical)
                : [],
            "Needs a GIC in the kernel (EINVAL); fixed at first run (EBUSY)."),
        new("stolen time", VcpuAttributes.StolenTimeControl, 8, g => PerVcpu(g, VcpuAttributes.StolenTimeAddress),
            "After memory: the address must lie in a slot (EINVAL). Once only (EEXIST).")
        {
            Unset = ulong.MaxValue,
        },
    ];

    /// <summary>The vCPU of an attribute.</summary>
    public static int VcpuOf(ulong attribute) => (int)(attribute >> 32);

    /// <summary>KVM's own number of an attribute.</summary>
    public static ulong AttributeOf(ulong attribute) => attribute & uint.MaxValue;

    private static IEnumerable<ulong> PerVcpu(DeviceGeometry geometry, params ulong[] attributes) =>
        geometry.Vcpus.SelectMany(vcpu => attributes.Select(attribute => (ulong)vcpu.Index << 32 | attribute));
}
