using Migrate.Model;
using Migrate.Model.Firmware;
using Migrate.Model.Machines;

namespace Migrate.Kvm.Vmm;

/// <summary>The device tree of a machine of this VMM.</summary>
/// <remarks>
/// Source: Devicetree Specification v0.4, chapter 3, and the bindings of the Linux kernel (Documentation/devicetree/bindings): arm/cpus.yaml,
/// arm/psci.yaml, arm/pmu.yaml, interrupt-controller/arm,gic-v3.yaml, timer/arm,arch_timer.yaml, serial/pl011.yaml, clock/fixed-clock.yaml; chosen.yaml of dt-schema.
/// </remarks>
internal sealed record DeviceTree
{
    /// <summary>Cells of an interrupt (arm,gic-v3.yaml): shared or private, number from the first of its kind, by level.</summary>
    private const uint Shared = 0, Private = 1, FirstShared = 32, FirstPrivate = 16, LevelHigh = 4;

    /// <summary>INTIDs of the timers that KVM gives a vCPU (arch/arm64/kvm/arch_timer.c, default_ppi): secure and physical, physical, virtual, hypervisor.</summary>
    private static readonly uint[] TimerInterrupts = [29, 30, 27, 26];

    private const uint Gic = 1, Clock = 2;

    /// <summary>What a baud rate would be divided from; nothing here depends on it.</summary>
    private const uint ClockFrequency = 24_000_000;

    /// <summary>Guest memory.</summary>
    public required EquatableArray<MemorySlot> Memory { get; init; }

    /// <summary>MPIDR_EL1 of each vCPU.</summary>
    public required EquatableArray<ulong> Affinities { get; init; }

    /// <summary>A GICv3.</summary>
    public required GicDescription InterruptController { get; init; }

    /// <summary>Which PSCI the guest is told of.</summary>
    public required PsciVersion Psci { get; init; }

    /// <summary>Whether it is called by SMC: of a guest at EL2 an HVC would be its own.</summary>
    public bool PsciBySmc { get; init; }

    /// <summary>Whether vCPUs have performance monitors.</summary>
    public bool HasPmu { get; init; }

    /// <summary>The kernel's command line.</summary>
    public string CommandLine { get; init; } = "";

    /// <summary>Where the initial RAM disk begins and where it ends; null for none.</summary>
    public (ulong Start, ulong End)? Initrd { get; init; }

    /// <summary>The blob.</summary>
    public byte[] Write()
    {
        var tree = new DeviceTreeWriter { BootCpu = Affinity(Affinities[0]) };
        tree.Node("", () =>
        {
            tree.Cells("#address-cells", 2);
            tree.Cells("#size-cells", 2);
            tree.Cells("interrupt-parent", Gic);
            // The name by which Linux knows boards that are nothing but their tree.
            tree.Texts("compatible", "linux,dummy-virt");
            tree.Texts("model", "vmmigrate");
            Chosen(tree);
            foreach (var slot in Memory)
            {
                tree.Node($"memory@{slot.GuestAddress:x}", () =>
                {
                    tree.Texts("device_type", "memory");
                    tree.Numbers("reg", slot.GuestAddress, slot.Size);
                });
            }
            Cpus(tree);
            tree.Node("psci", () =>
            {
                tree.Texts("compatible", Psci.CompareTo(new PsciVersion(1, 0)) >= 0 ? ["arm,psci-1.0", "arm,psci-0.2"] : ["arm,psci-0.2"]);
                tree.Texts("method", PsciBySmc ? "smc" : "hvc");
            });
            Interrupts(tree);
            tree.Node("apb-pclk", () =>
            {
                tree.Texts("compatible", "fixed-clock");
                tree.Cells("#clock-cells", 0);
                tree.Cells("clock-frequency", ClockFrequency);
                tree.Cells("phandle", Clock);
            });
            tree.Node($"pl011@{Board.Console:x}", () =>
            {
                tree.Texts("compatible", "arm,pl011", "arm,primecell");
                tree.Numbers("reg", Board.Console, Board.ConsoleSize);
                tree.Cells("interrupts", Shared, Board.ConsoleInterrupt - FirstShared, LevelHigh);
                tree.Cells("clocks", Clock, Clock);
                tree.Texts("clock-names", "uartclk", "apb_pclk");
            });
        });
        return tree.Finish();
    }

    private void Chosen(DeviceTreeWriter tree) => tree.Node("chosen", () =>
    {
        tree.Texts("bootargs", CommandLine);
        tree.Texts("stdout-path", $"/pl011@{Board.Console:x}");
        if (Initrd is not { } initrd) return;
        tree.Numbers("linux,initrd-start", initrd.Start);
        tree.Numbers("linux,initrd-end", initrd.End);
    });

    private void Cpus(DeviceTreeWriter tree) => tree.Node("cpus", () =>
    {
        tree.Cells("#address-cells", 1);
        tree.Cells("#size-cells", 0);
        foreach (var mpidr in Affinities)
        {
            tree.Node($"cpu@{Affinity(mpidr):x}", () =>
            {
                tree.Texts("device_type", "cpu");
                tree.Texts("compatible", "arm,armv8");
                tree.Cells("reg", Affinity(mpidr));
                tree.Texts("enable-method", "psci");
            });
        }
    });

    private void Interrupts(DeviceTreeWriter tree)
    {
        tree.Node($"interrupt-controller@{InterruptController.Distributor:x}", () =>
        {
            tree.Texts("compatible", "arm,gic-v3");
            tree.Cells("#interrupt-cells", 3);
            tree.Cells("#address-cells", 0);
            tree.Flag("interrupt-controller");
            tree.Cells("#redistributor-regions", 1);
            tree.Numbers("reg", InterruptController.Distributor, Board.DistributorSize,
                InterruptController.Redistributors, Board.RedistributorSize * (ulong)Affinities.Count);
            tree.Cells("phandle", Gic);
        });
        tree.Node("timer", () =>
        {
            tree.Texts("compatible", "arm,armv8-timer");
            tree.Cells("interrupts", [.. TimerInterrupts.SelectMany(intid => new[] { Private, intid - FirstPrivate, LevelHigh })]);
            // A vCPU that is idle or in PSCI's suspend keeps its timer.
            tree.Flag("always-on");
        });
        if (!HasPmu) return;
        tree.Node("pmu", () =>
        {
            tree.Texts("compatible", "arm,armv8-pmuv3");
            tree.Cells("interrupts", Private, Board.PmuInterrupt - FirstPrivate, LevelHigh);
        });
    }

    /// <summary>MPIDR_EL1 without its bits 31:24, as <c>reg</c> of one cell has it; Aff3 is 0 for all that KVM gives 512 vCPUs (reset_mpidr).</summary>
    private static uint Affinity(ulong mpidr) => (uint)mpidr & 0xff_ffff;
}
