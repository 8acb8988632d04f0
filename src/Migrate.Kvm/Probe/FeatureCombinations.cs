using System.Numerics;
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

    /// <summary>Which of the sets that the host takes are measured register by register: what VMMs make today, AArch64 guests with PSCI in the kernel.</summary>
    /// <remarks>
    /// A guest without EL2 has no E2H, though kernels take that feature alone. Of the sets with EL2 only the smallest and the largest are measured: they have the
    /// most registers by far, and few machines are made of them.
    /// </remarks>
    public static IReadOnlyList<VcpuFeatures> Measured(IReadOnlyCollection<VcpuFeatures> accepted)
    {
        var usual = accepted.Where(f => f.Has(VcpuFeatures.Psci02) && !f.Has(VcpuFeatures.El1Is32Bit)).ToList();
        var nested = usual.Where(f => f.Has(VcpuFeatures.El2)).GroupBy(f => f.Has(VcpuFeatures.El2E2h0))
            .SelectMany(kind => new[] { kind.MinBy(f => BitOperations.PopCount(f.Bits)), kind.MaxBy(f => BitOperations.PopCount(f.Bits)) }).ToHashSet();
        return [.. usual.Where(f => nested.Contains(f) || (f.Bits & (VcpuFeatures.El2 | VcpuFeatures.El2E2h0).Bits) == 0)];
    }

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
