namespace Migrate.Kvm.Scratch;

/// <summary>The few A64 instructions that scratch guests are made of.</summary>
/// <remarks>Source: Arm Architecture Reference Manual, DDI 0487, chapter C6, the encoding of each instruction by its name.</remarks>
public static class A64
{
    /// <summary>B to itself.</summary>
    public const uint Forever = 0x14000000;

    /// <summary>WFI.</summary>
    public const uint Wfi = 0xd503207f;

    /// <summary>ISB.</summary>
    public const uint Isb = 0xd5033fdf;

    /// <summary>HVC #0.</summary>
    public const uint Hvc = 0xd4000002;

    /// <summary>ERET.</summary>
    public const uint Eret = 0xd69f03e0;

    /// <summary>MSR DAIFClr, #2: interrupts are taken.</summary>
    public const uint UnmaskInterrupts = 0xd50342ff;

    /// <summary>NOP.</summary>
    public const uint Nop = 0xd503201f;

    /// <summary>MOVZ and three MOVK: any 64-bit constant.</summary>
    public static uint[] Load(int register, ulong value) =>
    [
        0xd2800000 | Half(value, 0) | (uint)register,
        0xf2a00000 | Half(value, 16) | (uint)register,
        0xf2c00000 | Half(value, 32) | (uint)register,
        0xf2e00000 | Half(value, 48) | (uint)register,
    ];

    /// <summary>STR Xt, [Xn].</summary>
    public static uint Store(int value, int address) => 0xf9000000 | (uint)address << 5 | (uint)value;

    /// <summary>STR Wt, [Xn].</summary>
    public static uint Store32(int value, int address) => 0xb9000000 | (uint)address << 5 | (uint)value;

    /// <summary>ADD Xd, Xn, #imm12.</summary>
    public static uint Add(int destination, int source, int immediate) => 0x91000000 | (uint)immediate << 10 | (uint)source << 5 | (uint)destination;

    /// <summary>ADD Xd, Xn, Xm, LSL #shift.</summary>
    public static uint AddShifted(int destination, int first, int second, int shift) =>
        0x8b000000 | (uint)second << 16 | (uint)shift << 10 | (uint)first << 5 | (uint)destination;

    /// <summary>AND Xd, Xn, Xm.</summary>
    public static uint And(int destination, int first, int second) => 0x8a000000 | (uint)second << 16 | (uint)first << 5 | (uint)destination;

    /// <summary>CMP Xn, Xm, unsigned.</summary>
    public static uint Compare(int first, int second) => 0xeb00001f | (uint)second << 16 | (uint)first << 5;

    /// <summary>CINC Xd, Xd, LO: one more where the comparison before found the first lower (CSINC with HS).</summary>
    public static uint IncrementIfLower(int register) => 0x9a802400 | (uint)register << 16 | (uint)register << 5 | (uint)register;

    /// <summary>B by a number of instructions, backwards too.</summary>
    public static uint Branch(int instructions) => 0x14000000 | ((uint)instructions & 0x3ffffff);

    /// <summary>MSR of a system register by op0 (2 or 3), op1, CRn, CRm, op2.</summary>
    public static uint WriteSystem(int register, int op0, int op1, int crn, int crm, int op2) => 0xd5000000 | System(register, op0, op1, crn, crm, op2);

    /// <summary>MRS of a system register.</summary>
    public static uint ReadSystem(int register, int op0, int op1, int crn, int crm, int op2) => 0xd5200000 | System(register, op0, op1, crn, crm, op2);

    private static uint Half(ulong value, int shift) => (uint)((value >> shift) & 0xffff) << 5;

    private static uint System(int register, int op0, int op1, int crn, int crm, int op2) =>
        (uint)(op0 << 19 | op1 << 16 | crn << 12 | crm << 8 | op2 << 5 | register);
}
