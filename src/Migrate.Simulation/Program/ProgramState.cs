using System.Runtime.CompilerServices;

namespace Migrate.Simulation.Program;

/// <summary>The registers of one vCPU that the guest program uses: with guest memory, all of its state. <see cref="ProgramRegisters"/> says which is which.</summary>
internal struct ProgramState
{
    /// <summary>X0: state of the pseudo-random generator.</summary>
    public ulong Generator;

    /// <summary>X1: guest physical address of the vCPU's partition.</summary>
    public ulong PartitionBase;

    /// <summary>X2: bytes of the partition.</summary>
    public ulong PartitionSize;

    /// <summary>X3: steps done.</summary>
    public ulong Steps;

    /// <summary>X4: steps to do; 0 is endless.</summary>
    public ulong Target;

    /// <summary>X5: everything the program has read, mixed.</summary>
    public ulong Checksum;

    /// <summary>X6: bits 15:0 the share of writes that hit the hot set, bits 31:16 the share of pages in it, both in 65536ths.</summary>
    public ulong Locality;

    /// <summary>X7: guest physical address of the console device's two pages; 0 for none.</summary>
    public ulong Console;

    /// <summary>X8: steps per second that the program allows itself; 0 is no limit.</summary>
    public ulong Pace;

    /// <summary>PC.</summary>
    public ulong ProgramCounter;

    /// <summary>TPIDR_EL0.</summary>
    public ulong ThreadPointer;

    /// <summary>How many of <see cref="Lanes"/> the wide register has, at most <see cref="MaximumLanes"/>.</summary>
    public int LaneCount;

    /// <summary>One wide register: Z7 up to the VM's vector length, or V7.</summary>
    public LaneArray Lanes;

    /// <summary>64-bit lanes of the widest register: 2048 bits.</summary>
    public const int MaximumLanes = 32;

    /// <summary>64-bit lanes of a wide register.</summary>
    [InlineArray(MaximumLanes)]
    public struct LaneArray
    {
        private ulong _first;
    }
}
