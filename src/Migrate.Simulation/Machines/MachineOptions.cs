using Migrate.Model;
using Migrate.Model.Errors;
using Migrate.Model.Machines;
using Migrate.Simulation.Program;

namespace Migrate.Simulation.Machines;

/// <summary>What a fresh simulated machine is and does.</summary>
public sealed record MachineOptions
{
    /// <summary>Bytes that memory is a multiple of: the largest page an arm64 host has.</summary>
    public const ulong MemoryUnit = 65536;

    /// <summary>The machine's name.</summary>
    public string Name { get; init; } = "simulated";

    /// <summary>Identity of the VM, 32 lowercase hexadecimal digits; a random one when empty.</summary>
    public string Id { get; init; } = "";

    /// <summary>Guest memory over all slots in bytes, a multiple of <see cref="MemoryUnit"/>.</summary>
    public ulong MemoryBytes { get; init; } = 64 << 20;

    /// <summary>Into how many slots the memory is split, 1 to 16.</summary>
    public int Slots { get; init; } = 1;

    /// <summary>The argument of KVM_CREATE_VM.</summary>
    public VmType Type { get; init; }

    /// <summary>vCPUs, 1 to 512.</summary>
    public int Vcpus { get; init; } = 2;

    /// <summary>vCPU features; null: the most that the host creates, without EL2 and AArch32.</summary>
    public VcpuFeatures? Features { get; init; }

    /// <summary>The interrupt controller.</summary>
    public GicDescription Gic { get; init; }

    /// <summary>SMCCC filter ranges, installed in order.</summary>
    public EquatableArray<SmcccFilterRange> SmcccFilter { get; init; }

    /// <summary>Registers that the VMM sets before the first run (a pinned PSCI version), through every vCPU.</summary>
    public EquatableArray<Register> Registers { get; init; }

    /// <summary>Devices that cannot be described, by name: each makes the machine unmovable.</summary>
    public EquatableArray<string> Undescribable { get; init; }

    /// <summary>Share of the memory that holds something else than zeros at the start, 0 to 1.</summary>
    public double FillFraction { get; init; } = 0.5;

    /// <summary>Steps, so page writes, a second over all vCPUs; 0 is no limit. Part of the guest: it moves with it.</summary>
    public ulong WritesPerSecond { get; init; }

    /// <summary>Share of the writes that hit the hot set, 0 to 1.</summary>
    public double HotWrites { get; init; } = 0.9;

    /// <summary>Share of the pages that are the hot set, 0 to 1.</summary>
    public double HotPages { get; init; } = 0.1;

    /// <summary>Steps of each vCPU until it halts; 0 is never.</summary>
    public ulong Steps { get; init; }

    /// <summary>What all pseudo-random content follows from.</summary>
    public ulong Seed { get; init; } = 1;

    internal void Validate()
    {
        if (Slots is < 1 or > 16) throw Usage($"{Slots} memory slots: 1 to 16 are possible");
        if (Vcpus is < 1 or > 512) throw Usage($"{Vcpus} vCPUs: 1 to 512 are possible");
        // The last unit of the last slot is the console's; every vCPU needs a page of its slot.
        var least = ((ulong)Math.Max(Vcpus, Slots) * GuestProgram.Page + MemoryUnit) * (ulong)Slots;
        if (MemoryBytes % MemoryUnit != 0 || MemoryBytes / MemoryUnit < (ulong)Slots * 2 || MemoryBytes < least || MemoryBytes > 1UL << 46)
            throw Usage($"{MemoryBytes} bytes of memory: a multiple of {MemoryUnit} and at least {least} for {Vcpus} vCPUs and {Slots} slots, at most 64 TiB");
        foreach (var (share, name) in (ReadOnlySpan<(double, string)>)[(FillFraction, "fill fraction"), (HotWrites, "hot writes"), (HotPages, "hot pages")])
            if (!(share is >= 0 and <= 1)) throw Usage($"{name} {share}: from 0 to 1");
    }

    private static MigrateException Usage(string message) => new(ErrorCode.Usage, message);
}
