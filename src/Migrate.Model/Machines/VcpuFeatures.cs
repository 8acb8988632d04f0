using System.Numerics;

namespace Migrate.Model.Machines;

/// <summary>The set of vCPU features given to KVM_ARM_VCPU_INIT, by bit number.</summary>
/// <param name="Bits">features[0] of struct kvm_vcpu_init.</param>
/// <remarks>Source: arch/arm64/include/uapi/asm/kvm.h, KVM_ARM_VCPU_*.</remarks>
public readonly record struct VcpuFeatures(ulong Bits)
{
    /// <summary>One feature: its bit and the name by which documents and the command line know it.</summary>
    public readonly record struct Feature(int Bit, string Name);

    /// <summary>Every feature that a kernel up to 7.3 knows.</summary>
    public static IReadOnlyList<Feature> Known { get; } =
    [
        new(0, "power_off"), new(1, "el1_32bit"), new(2, "psci_0_2"), new(3, "pmu_v3"), new(4, "sve"),
        new(5, "ptrauth_address"), new(6, "ptrauth_generic"), new(7, "has_el2"), new(8, "has_el2_e2h0"),
    ];

    /// <summary>Start the vCPU powered off: a per-vCPU start condition and not part of the VM's shape.</summary>
    public static VcpuFeatures PowerOff => new(1UL << 0);

    /// <summary>AArch32 at EL1.</summary>
    public static VcpuFeatures El1Is32Bit => new(1UL << 1);

    /// <summary>PSCI 0.2 or later in the kernel.</summary>
    public static VcpuFeatures Psci02 => new(1UL << 2);

    /// <summary>The performance monitors.</summary>
    public static VcpuFeatures PmuV3 => new(1UL << 3);

    /// <summary>The Scalable Vector Extension.</summary>
    public static VcpuFeatures Sve => new(1UL << 4);

    /// <summary>Both kinds of pointer authentication; KVM takes them together only.</summary>
    public static VcpuFeatures PointerAuthentication => new(3UL << 5);

    /// <summary>Nested virtualisation.</summary>
    public static VcpuFeatures El2 => new(1UL << 7);

    /// <summary>With <see cref="El2"/>: HCR_EL2.E2H is RES0.</summary>
    public static VcpuFeatures El2E2h0 => new(1UL << 8);

    /// <summary>The features that make a shape: all but <see cref="PowerOff"/>.</summary>
    public VcpuFeatures Shape => new(Bits & ~1UL);

    /// <summary>Whether every feature of <paramref name="other"/> is here.</summary>
    public bool Has(VcpuFeatures other) => (Bits & other.Bits) == other.Bits;

    /// <summary>The features of both.</summary>
    public static VcpuFeatures operator |(VcpuFeatures left, VcpuFeatures right) => new(left.Bits | right.Bits);

    /// <summary>The features of the left that the right lacks.</summary>
    public VcpuFeatures Except(VcpuFeatures other) => new(Bits & ~other.Bits);

    /// <summary>Names in bit order; a bit without a name is <c>bit9</c>.</summary>
    public IEnumerable<string> Names
    {
        get
        {
            for (var rest = Bits; rest != 0; rest &= rest - 1)
            {
                var bit = BitOperations.TrailingZeroCount(rest);
                yield return bit < Known.Count ? Known[bit].Name : $"bit{bit}";
            }
        }
    }

    /// <summary>Comma-separated names; <c>none</c> for the empty set.</summary>
    public override string ToString() => Bits == 0 ? "none" : string.Join(',', Names);

    /// <summary>Reads comma-separated names, <c>ptrauth</c> for both of its bits, <c>none</c>, or a 0x number.</summary>
    public static bool TryParse(string text, out VcpuFeatures features)
    {
        features = default;
        if (text.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
        {
            var ok = ulong.TryParse(text.AsSpan(2), System.Globalization.NumberStyles.AllowHexSpecifier, null, out var bits);
            features = new(bits);
            return ok;
        }
        if (text is "none") return true;
        foreach (var name in text.Split(',', StringSplitOptions.TrimEntries))
        {
            if (name is "ptrauth") features |= PointerAuthentication;
            else if (name.StartsWith("bit", StringComparison.Ordinal) && int.TryParse(name.AsSpan(3), out var bit) && bit is >= 0 and < 64)
                features |= new VcpuFeatures(1UL << bit);
            else
            {
                var known = Known.FirstOrDefault(f => f.Name == name);
                if (known.Name is null) return false;
                features |= new VcpuFeatures(1UL << known.Bit);
            }
        }
        return true;
    }
}
