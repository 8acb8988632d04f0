using Migrate.Model.Machines;

namespace Migrate.Kvm.Probe;

/// <summary>Which sets of vCPU features are tried.</summary>
internal static class FeatureCombinations
{
    /// <summary>What is chosen or not, as one.</summary>
    private static readonly VcpuFeatures[] Units =
    [
        VcpuFeatures.Psci02, VcpuFeatures.PmuV3, VcpuFeatures.Sve, VcpuFeatures.PointerAuthentication, VcpuFeatures.El1Is32Bit, VcpuFeatures.El2,
        VcpuFeatures.El2E2h0,
    ];

    private static readonly VcpuFeatures[] HalvesOfPointerAuthentication = [new(1UL << 5), new(1UL << 6)];

    /// <summary>Every set of the features there are, offered or not, so that a VM with one that the host lacks is known to be refused; and half of pointer authentication.</summary>
    public static IReadOnlyList<VcpuFeatures> All { get; } = [.. Subsets(), .. HalvesOfPointerAuthentication.Select(f => f | VcpuFeatures.Psci02)];

    /// <summary>
    /// Whether a set that the host takes is measured register by register: what a VMM makes today, an AArch64 guest with PSCI in the kernel. A guest without
    /// EL2 has no E2H, though kernels take that feature alone.
    /// </summary>
    public static bool IsMeasured(VcpuFeatures features) =>
        features.Has(VcpuFeatures.Psci02) && !features.Has(VcpuFeatures.El1Is32Bit) && (features.Has(VcpuFeatures.El2) || !features.Has(VcpuFeatures.El2E2h0));

    private static IEnumerable<VcpuFeatures> Subsets()
    {
        for (var set = 0; set < 1 << Units.Length; set++)
        {
            var features = default(VcpuFeatures);
            for (var i = 0; i < Units.Length; i++)
                if ((set >> i & 1) != 0) features |= Units[i];
            yield return features;
        }
    }
}
