using System.Buffers.Binary;
using Migrate.Model.Registers;

namespace Migrate.Simulation.Program;

/// <summary>Where the guest program keeps its state: one table read when a vCPU starts and when it is captured.</summary>
/// <remarks>Offsets into struct kvm_regs (arch/arm64/include/uapi/asm/kvm.h): general registers from 0, SP at 248, PC at 256, V registers from 336.</remarks>
internal static class ProgramRegisters
{
    private delegate ref ulong Place(ref ProgramState state);

    private static readonly (RegisterId Id, Place Of)[] Narrow =
    [
        (X(0), (ref s) => ref s.Generator),
        (X(1), (ref s) => ref s.PartitionBase),
        (X(2), (ref s) => ref s.PartitionSize),
        (X(3), (ref s) => ref s.Steps),
        (X(4), (ref s) => ref s.Target),
        (X(5), (ref s) => ref s.Checksum),
        (X(6), (ref s) => ref s.Locality),
        (X(7), (ref s) => ref s.Console),
        (X(8), (ref s) => ref s.Pace),
        (RegisterId.Core(256, 8), (ref s) => ref s.ProgramCounter),
        (RegisterId.System(3, 3, 13, 0, 2), (ref s) => ref s.ThreadPointer),
    ];

    private static readonly RegisterId V7 = V(7);
    private static readonly RegisterId Z7 = Z(7);
    private static readonly RegisterId VectorLengths = RegisterId.Of(RegisterClass.Sve, 0xffff, 64);

    /// <summary>General register 0 to 30.</summary>
    public static RegisterId X(int number) => RegisterId.Core(8 * number, 8);

    /// <summary>FP/SIMD register 0 to 31 of a vCPU without SVE.</summary>
    public static RegisterId V(int number) => RegisterId.Core(336 + 16 * number, 16);

    /// <summary>Slice 0 of SVE vector register 0 to 31.</summary>
    public static RegisterId Z(int number) => RegisterId.Of(RegisterClass.Sve, (ushort)(number << 5), 256);

    /// <summary>64-bit lanes of a vector under a KVM_REG_ARM64_SVE_VLS value: bit n of it stands for n + 1 quadwords.</summary>
    public static int LanesOf(RegisterValue vectorLengths)
    {
        Span<byte> bytes = stackalloc byte[64];
        var quadwords = 1;
        for (var i = 0; i < vectorLengths.CopyTo(bytes) * 8; i++)
            if ((bytes[i / 8] >> (i % 8) & 1) != 0) quadwords = i + 1;
        return Math.Min(2 * quadwords, ProgramState.MaximumLanes);
    }

    /// <summary>Reads the program's state; a register that the vCPU does not have counts as zero.</summary>
    public static ProgramState Load(Func<RegisterId, RegisterValue?> read)
    {
        var state = default(ProgramState);
        foreach (var (id, of) in Narrow) of(ref state) = read(id)?.Low ?? 0;
        var sve = read(VectorLengths);
        if ((sve is null ? read(V7) : read(Z7)) is not { } wide) return state;
        state.LaneCount = sve is { } lengths ? LanesOf(lengths) : 2;
        Span<byte> bytes = stackalloc byte[RegisterValue.MaximumSize];
        wide.CopyTo(bytes);
        for (var i = 0; i < state.LaneCount; i++) state.Lanes[i] = BinaryPrimitives.ReadUInt64LittleEndian(bytes[(8 * i)..]);
        return state;
    }

    /// <summary>The program's registers with their values. Those that the vCPU does not have are among them: the caller knows its shape.</summary>
    public static IEnumerable<(RegisterId Id, RegisterValue Value)> Store(ProgramState state)
    {
        foreach (var (id, of) in Narrow) yield return (id, new RegisterValue(of(ref state)));
        if (state.LaneCount == 0) yield break;
        yield return (V7, Wide(state, V7.Size));
        yield return (Z7, Wide(state, Z7.Size));
    }

    private static RegisterValue Wide(in ProgramState state, int size)
    {
        Span<byte> bytes = stackalloc byte[RegisterValue.MaximumSize];
        bytes.Clear();
        for (var i = 0; i < state.LaneCount; i++) BinaryPrimitives.WriteUInt64LittleEndian(bytes[(8 * i)..], state.Lanes[i]);
        return new RegisterValue(bytes[..size]);
    }
}
