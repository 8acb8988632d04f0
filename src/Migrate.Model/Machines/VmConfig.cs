using Migrate.Model.Plans;
using Migrate.Model.Registers;

namespace Migrate.Model.Machines;

/// <summary>How a VM is created so that it can live on more hosts than one: what is chosen, and what is written on top of a host's own values before the first run.</summary>
public sealed record VmConfig
{
    /// <summary>What the configuration is for, for people.</summary>
    public string Name { get; init; } = "";

    /// <summary>The argument of KVM_CREATE_VM.</summary>
    public required VmType Type { get; init; }

    /// <summary>vCPU features, the same for every vCPU.</summary>
    public required VcpuFeatures Features { get; init; }

    /// <summary>The interrupt controller in the kernel.</summary>
    public GicKind Gic { get; init; }

    /// <summary>The revision of a GICv3 that is written through GICD_IIDR before the first run (bits 15:12; arch/arm64/kvm/vgic/vgic-mmio-v3.c); null for each host's own.</summary>
    public int? GicRevision { get; init; }

    /// <summary>What is written through every vCPU before the first run, in this order; vector lengths before SVE is finalized.</summary>
    public EquatableArray<RegisterSetting> Settings { get; init; }

    /// <summary>What the guest is promised and nobody can set: a host that lists such a register must have exactly this value (workaround levels).</summary>
    public EquatableArray<Register> Expected { get; init; }

    /// <summary>CNTFRQ_EL0 in Hz, which a host must have by itself; 0 where unknown.</summary>
    public ulong CounterFrequency { get; init; }

    /// <summary>How it is known that hosts take this configuration: the weakest evidence of the profiles that it was made from.</summary>
    public Evidence Evidence { get; init; } = Evidence.Assumed;
}

/// <summary>Some bits of one register that a configuration fixes; all others stay as the host has them.</summary>
/// <param name="Id">Which register.</param>
/// <param name="Value">The bits in place; zero outside of <paramref name="Mask"/>.</param>
/// <param name="Mask">Which bits; all ones for the whole register, and always so for one of more than 8 bytes.</param>
public readonly record struct RegisterSetting(RegisterId Id, RegisterValue Value, ulong Mask = ulong.MaxValue)
{
    /// <summary>The register with these bits, where the host has <paramref name="own"/>.</summary>
    public RegisterValue Apply(RegisterValue own) =>
        Mask == ulong.MaxValue || Value.Size > 8 ? Value : new RegisterValue((own.Low & ~Mask) | Value.Low, Value.Size);
}
