using System.Globalization;

namespace Migrate.Model.Registers;

/// <summary>The coprocessor field of an arm64 KVM register id (bits 27:16): which group of state the register belongs to.</summary>
/// <remarks>Source: arch/arm64/include/uapi/asm/kvm.h, <c>KVM_REG_ARM_COPROC_MASK</c> and the values below it.</remarks>
public enum RegisterClass
{
    /// <summary>struct kvm_regs: general registers, SP, PC, PSTATE, FP/SIMD.</summary>
    Core = 0x10,

    /// <summary>CCSIDR values selected by CSSELR ("demultiplexed").</summary>
    Demux = 0x11,

    /// <summary>AArch64 system registers, by op0, op1, CRn, CRm, op2; the timers are among them.</summary>
    System = 0x13,

    /// <summary>Firmware pseudo-registers: PSCI version and workaround levels.</summary>
    Firmware = 0x14,

    /// <summary>SVE registers and the vector-length pseudo-register.</summary>
    Sve = 0x15,

    /// <summary>Hypercall service bitmaps.</summary>
    FirmwareBitmap = 0x16,

    /// <summary>Anything this build has no name for; carried all the same.</summary>
    Unknown = 0,
}

/// <summary>The 64-bit id by which KVM_GET_ONE_REG and KVM_SET_ONE_REG address one register.</summary>
/// <param name="Value">The raw id: architecture in bits 63:56, size in 55:52, class in 27:16.</param>
/// <remarks>Source: include/uapi/linux/kvm.h <c>KVM_REG_SIZE_MASK</c>; arch/arm64/include/uapi/asm/kvm.h.</remarks>
public readonly record struct RegisterId(ulong Value) : IComparable<RegisterId>
{
    private const ulong Arm64 = 0x6000_0000_0000_0000;

    /// <summary>Bytes of the register's value: 1 to 256.</summary>
    public int Size => 1 << (int)((Value >> 52) & 0xf);

    /// <summary>Whether the id carries KVM's arm64 architecture number and a size KVM has (8 to 2048 bits).</summary>
    public bool IsWellFormed => Value >> 56 == 0x60 && ((Value >> 52) & 0xf) <= 8;

    /// <summary>The group of state.</summary>
    public RegisterClass Class => (RegisterClass)((Value >> 16) & 0xfff) switch
    {
        RegisterClass.Core => RegisterClass.Core,
        RegisterClass.Demux => RegisterClass.Demux,
        RegisterClass.System => RegisterClass.System,
        RegisterClass.Firmware => RegisterClass.Firmware,
        RegisterClass.Sve => RegisterClass.Sve,
        RegisterClass.FirmwareBitmap => RegisterClass.FirmwareBitmap,
        _ => RegisterClass.Unknown,
    };

    /// <summary>The low 16 bits: the index within the class.</summary>
    public ushort Index => (ushort)Value;

    /// <summary>A 64-bit system register (ARM64_SYS_REG).</summary>
    public static RegisterId System(int op0, int op1, int crn, int crm, int op2) =>
        new(Arm64 | 3UL << 52 | 0x13UL << 16 | (uint)(op0 << 14 | op1 << 11 | crn << 7 | crm << 3 | op2));

    /// <summary>A core register at a byte offset into struct kvm_regs; ids count 32-bit words (KVM_REG_ARM_CORE_REG).</summary>
    public static RegisterId Core(int byteOffset, int bytes) => Of(RegisterClass.Core, (ushort)(byteOffset / 4), bytes);

    /// <summary>A firmware pseudo-register (KVM_REG_ARM_FW_REG).</summary>
    public static RegisterId Firmware(ushort index) => Of(RegisterClass.Firmware, index, 8);

    /// <summary>A hypercall bitmap (KVM_REG_ARM_FW_FEAT_BMAP_REG).</summary>
    public static RegisterId FirmwareBitmap(ushort index) => Of(RegisterClass.FirmwareBitmap, index, 8);

    /// <summary>Any id from its parts.</summary>
    public static RegisterId Of(RegisterClass group, ushort index, int bytes) =>
        new(Arm64 | (ulong)int.Log2(bytes) << 52 | (ulong)group << 16 | index);

    /// <inheritdoc/>
    public int CompareTo(RegisterId other) => Value.CompareTo(other.Value);

    /// <summary>Seeded per process: an id is chosen by whoever wrote a document, and ids that all collide would make an index quadratic.</summary>
    public override int GetHashCode() => HashCode.Combine(Value);

    /// <summary>The id as documents write it: 0x and sixteen lowercase hexadecimal digits.</summary>
    public override string ToString() => $"0x{Value:x16}";

    /// <summary>Reads what <see cref="ToString"/> wrote (the 0x is optional).</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out RegisterId id)
    {
        if (text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)) text = text[2..];
        var ok = ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value);
        id = new RegisterId(ok ? value : 0);
        return ok;
    }
}
