namespace Migrate.Kvm.Vmm;

/// <summary>What lies where in a guest of this VMM: as on QEMU's virt board, so that programs for one run on the other.</summary>
/// <remarks>Source: QEMU, docs/system/arm/virt.rst and the memory map in hw/arm/virt.c.</remarks>
public static class Board
{
    /// <summary>Where memory begins.</summary>
    public const ulong MemoryBase = 0x4000_0000;

    /// <summary>The console, a PL011.</summary>
    public const ulong Console = 0x0900_0000;

    /// <summary>Bytes of guest physical space that the console takes.</summary>
    public const ulong ConsoleSize = 0x1000;

    /// <summary>The console's interrupt: a shared one, by level.</summary>
    public const int ConsoleInterrupt = 33;

    /// <summary>The interrupt of a vCPU's performance monitors: a private one.</summary>
    public const int PmuInterrupt = 23;

    /// <summary>Bytes of a GICv3 distributor (IHI 0069, section 12.10: one frame of 64 KiB).</summary>
    public const ulong DistributorSize = 0x1_0000;

    /// <summary>Bytes of the redistributor of one vCPU (two frames of 64 KiB).</summary>
    public const ulong RedistributorSize = 0x2_0000;
}
