using System.Numerics;
using Migrate.Simulation.Machines;

namespace Migrate.Simulation.Program;

/// <summary>The guest's program. A step reads and writes 32 bytes of a pseudo-random page of the vCPU's own partition and mixes what it read into
/// its registers, so that one lost page or register changes everything that comes after. The result after N steps does not depend on timing:
/// no two vCPUs share a byte.</summary>
internal static unsafe class GuestProgram
{
    /// <summary>The granule in which the program picks its targets, whatever the host's page size.</summary>
    public const int Page = 4096;

    /// <summary>A step whose number is a multiple of this also uses the wide register and TPIDR_EL0.</summary>
    public const ulong WideEvery = 16;

    /// <summary>A step whose number is a multiple of this ends in an exit to the console device.</summary>
    public const ulong ConsoleEvery = 256;

    /// <summary>Runs some steps. The caller has checked that the window and the console lie in guest memory.</summary>
    public static void Run(ref ProgramState state, in PartitionWindow window, in ConsolePort console, ulong steps)
    {
        var generator = state.Generator;
        var checksum = state.Checksum;
        var done = state.Steps;
        var hotShare = (uint)state.Locality & 0xffff;
        var hotPages = Math.Max(1, window.Pages * ((state.Locality >> 16) & 0xffff) >> 16);
        for (; steps != 0; steps--)
        {
            generator ^= generator << 13;
            generator ^= generator >> 7;
            generator ^= generator << 17;
            var pick = generator * 0x9e37_79b9_7f4a_7c15;
            var pages = ((uint)pick & 0xffff) < hotShare ? hotPages : window.Pages;
            // 32 random bits scaled to fewer than 2^32 pages: always inside.
            var offset = ((pick >> 32) * pages >> 32) * Page + ((pick >> 16) & 127) * 32;
            var words = (ulong*)(window.Pointer + offset);
            for (var i = 0; i < 4; i++)
            {
                var old = Volatile.Read(ref words[i]);
                checksum = BitOperations.RotateLeft(checksum, 7) + (old ^ pick);
                Volatile.Write(ref words[i], BitOperations.RotateLeft(old, 9) ^ (pick + done + (ulong)i));
            }
            // After the write: whoever clears the bit and then reads the page sees the write, or finds the bit again.
            window.Dirty.Mark(window.SlotOffset + offset);

            done++;
            state.ProgramCounter = (state.ProgramCounter & 0xffc) == 0xffc ? state.ProgramCounter - 0xffc : state.ProgramCounter + 4;
            if (done % WideEvery == 0)
            {
                checksum += state.ProgramCounter;
                state.ThreadPointer = BitOperations.RotateLeft(state.ThreadPointer, 5) + checksum;
                checksum ^= state.ThreadPointer;
                if (state.LaneCount != 0)
                {
                    ref var lane = ref state.Lanes[(int)(done / WideEvery % (uint)state.LaneCount)];
                    lane = BitOperations.RotateLeft(lane ^ checksum, 11) + done;
                    checksum += lane;
                }
            }
            if (done % ConsoleEvery == 0) console.Exit(checksum);
        }
        state.Generator = generator;
        state.Checksum = checksum;
        state.Steps = done;
    }
}
