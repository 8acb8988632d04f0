using Migrate.Kvm.Handles;
using Migrate.Model.Machines;

namespace Migrate.Kvm.Probe;

/// <summary>Which sets of vCPU features are tried.</summary>
internal static class FeatureCombinations
{
    /// <summary>What is chosen or not, as one.</summary>
    private static readonly (VcpuFeatures Features, Capability[] Offered)[] Units =
    [
        (VcpuFeatures.Psci02, [Capability.ArmPsci02]),
        (VcpuFeatures.PmuV3, [Capability.ArmPmuV3]),
        (VcpuFeatures.Sve, [Capability.ArmSve]),
        (VcpuFeatures.PointerAuthentication, [Capability.ArmPtrauthAddress, Capability.ArmPtrauthGeneric]),
        (VcpuFeatures.El1Is32Bit, [Capability.ArmEl132bit]),
        (VcpuFeatures.El2, [Capability.ArmEl2]),
        (new VcpuFeatures(1UL << 8), [Capability.ArmEl2E2h0]),
    ];

    private static readonly VcpuFeatures[] HalfOfPointerAuthentication = [new(1UL << 5), new(1UL << 6)];

    /// <summary>Every set of the features that the host says it has; each that it says it lacks, with PSCI 0.2 alone; and half of pointer authentication.</summary>
    public static IReadOnlyList<VcpuFeatures> Of(IProbeHost host)
    {
        var offered = Units.Where(u => Array.TrueForAll(u.Offered, c => host.CheckExtension((int)c) > 0)).Select(u => u.Features).ToList();
        var sets = new List<VcpuFeatures>();
        for (var set = 0; set < 1 << offered.Count; set++)
        {
            var features = default(VcpuFeatures);
            for (var i = 0; i < offered.Count; i++)
                if ((set >> i & 1) != 0) features |= offered[i];
            sets.Add(features);
        }
        var lacking = Units.Select(u => u.Features).Except(offered).Concat(HalfOfPointerAuthentication);
        return [.. sets.Concat(lacking.Select(f => f | VcpuFeatures.Psci02)).Distinct()];
    }

    /// <summary>Whether a set that the host takes is measured register by register: what a VMM makes today, an AArch64 guest with PSCI in the kernel.</summary>
    public static bool IsMeasured(VcpuFeatures features) => features.Has(VcpuFeatures.Psci02) && !features.Has(VcpuFeatures.El1Is32Bit);
}
