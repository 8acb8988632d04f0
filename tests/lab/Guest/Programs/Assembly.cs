using Migrate.Kvm.Scratch;

namespace Migrate.LabGuest.Programs;

/// <summary>A program as it grows: instructions, labels, and branches to labels that may come later.</summary>
/// <remarks>Encodings: Arm Architecture Reference Manual, DDI 0487, chapters C6 and C8, each by its name.</remarks>
internal sealed class Assembly
{
    private readonly List<uint> _code = [];
    private readonly Dictionary<string, int> _labels = [];
    private readonly List<(int At, string Label, int Bits, int Shift)> _branches = [];

    /// <summary>Instructions as they are.</summary>
    public Assembly Do(params ReadOnlySpan<uint> instructions)
    {
        _code.AddRange(instructions);
        return this;
    }

    /// <summary>MOVZ and MOVKs.</summary>
    public Assembly Load(int register, ulong value) => Do(A64.Load(register, value));

    /// <summary>The next instruction gets a name.</summary>
    public Assembly Label(string name)
    {
        _labels.Add(name, _code.Count);
        return this;
    }

    /// <summary>Continues at a byte offset, a vector's for instance.</summary>
    public Assembly At(int offset)
    {
        if (offset / 4 < _code.Count) throw new InvalidOperationException($"the program has reached 0x{_code.Count * 4:x} before 0x{offset:x}");
        while (_code.Count < offset / 4) _code.Add(A64.Forever);
        return this;
    }

    /// <summary>B.</summary>
    public Assembly Branch(string label) => To(0x14000000, label, 26, 0);

    /// <summary>CBZ Xt.</summary>
    public Assembly IfZero(int register, string label) => To(0xb4000000 | (uint)register, label, 19, 5);

    /// <summary>CBNZ Xt.</summary>
    public Assembly IfNotZero(int register, string label) => To(0xb5000000 | (uint)register, label, 19, 5);

    /// <summary>CMP Xn, Xm and B.EQ.</summary>
    public Assembly IfEqual(int first, int second, string label) => Do(A64.Compare(first, second)).To(0x54000000, label, 19, 5);

    /// <summary>LDR Wt, [Xn].</summary>
    public Assembly ReadWord(int value, int address) => Do(0xb9400000 | (uint)address << 5 | (uint)value);

    /// <summary>One more in a register where two differ: CMP, and CSINC with EQ.</summary>
    public Assembly CountIfDifferent(int counter, int first, int second) => Do(A64.Compare(first, second), CountIfNotEqual(counter));

    /// <summary>Xd = Xn, by way of ADD with 0.</summary>
    public Assembly Copy(int destination, int source) => Do(A64.Add(destination, source, 0));

    /// <summary>SMC #0.</summary>
    public Assembly Smc() => Do(0xd4000003);

    /// <summary>HVC #0.</summary>
    public Assembly Hvc() => Do(A64.Hvc);

    /// <summary>EL1 may use floating point and SVE: CPACR_EL1.FPEN and ZEN; vectors as long as there are.</summary>
    public Assembly EnableVectors(bool sve)
    {
        Load(9, sve ? 0x33_0000UL : 0x30_0000).Do(A64.WriteSystem(9, 3, 0, 1, 0, 2), A64.Isb);
        // ZCR_EL1.LEN; all lanes of P0.
        return sve ? Load(9, 0xf).Do(A64.WriteSystem(9, 3, 0, 1, 2, 0), A64.Isb, 0x25d8e3e0) : this;
    }

    /// <summary>Every lane of a vector from Xn: DUP (scalar) with SVE, else FMOV.</summary>
    public Assembly ToVector(int vector, int source, bool sve) => Do((sve ? 0x05e03800u : 0x9e670000) | (uint)source << 5 | (uint)vector);

    /// <summary>One more in a register where a lane of a vector differs from Xn; uses vector 31 and X9.</summary>
    public Assembly CountIfVectorDiffers(int counter, int vector, int source, bool sve)
    {
        if (!sve) return Do(0x9e660009 | (uint)vector << 5).CountIfDifferent(counter, 9, source);
        // CMPNE P1.D, P0/Z, Zn.D, Z31.D sets Z where no lane differs.
        return ToVector(31, source, sve).Do(0x24dfa011 | (uint)vector << 5, CountIfNotEqual(counter));
    }

    /// <summary>The whole program.</summary>
    public uint[] ToArray()
    {
        foreach (var (at, label, bits, shift) in _branches)
            _code[at] |= ((uint)(_labels[label] - at) & (1u << bits) - 1) << shift;
        _branches.Clear();
        return [.. _code];
    }

    private static uint CountIfNotEqual(int counter) => 0x9a800400 | (uint)counter << 16 | (uint)counter << 5 | (uint)counter;

    private Assembly To(uint instruction, string label, int bits, int shift)
    {
        _branches.Add((_code.Count, label, bits, shift));
        return Do(instruction);
    }
}
