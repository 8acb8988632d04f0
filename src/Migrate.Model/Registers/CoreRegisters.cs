namespace Migrate.Model.Registers;

/// <summary>The registers that are not system registers: struct kvm_regs, SVE and the cache sizes.</summary>
/// <remarks>
/// Source: arch/arm64/include/uapi/asm/kvm.h <c>struct kvm_regs</c>, <c>KVM_REG_ARM64_SVE_*</c>, <c>KVM_REG_ARM_DEMUX_*</c>;
/// arch/arm64/include/uapi/asm/ptrace.h <c>struct user_pt_regs</c>, <c>struct user_fpsimd_state</c>; arch/arm64/kvm/sys_regs.c
/// <c>CSSELR_MAX</c>.
/// </remarks>
internal static class CoreRegisters
{
    private const int VectorOffset = 336;

    private const int CacheCount = 14;

    private static readonly string[] AfterX30 =
        ["SP_EL0", "PC", "PSTATE", "SP_EL1", "ELR_EL1", "SPSR_EL1", "SPSR_abt", "SPSR_und", "SPSR_irq", "SPSR_fiq"];

    // The 32-bit format; KVM hides FEAT_CCIDX and fabricates this one.
    private static readonly RegisterField[] CacheSize =
        [new("NumSets", 13, 15, Signed: false), new("Associativity", 3, 10, Signed: false), new("LineSize", 0, 3, Signed: false)];

    /// <summary>The vector-length pseudo-register: bit n is set when vectors of (n + 1) * 128 bits are offered.</summary>
    public static RegisterId SveLengths { get; } = RegisterId.Of(RegisterClass.Sve, 0xffff, 64);

    /// <summary>Every such register, in KVM's order within each class.</summary>
    public static IEnumerable<RegisterInfo> All()
    {
        for (var i = 0; i <= 30; i++) yield return Plain($"X{i}", RegisterId.Core(8 * i, 8), RegisterGroup.General);
        for (var i = 0; i < AfterX30.Length; i++) yield return Plain(AfterX30[i], RegisterId.Core(8 * (31 + i), 8), RegisterGroup.General);
        for (var i = 0; i < 32; i++) yield return Plain($"V{i}", RegisterId.Core(VectorOffset + 16 * i, 16), RegisterGroup.Simd);
        yield return Plain("FPSR", RegisterId.Core(VectorOffset + 512, 4), RegisterGroup.Simd);
        yield return Plain("FPCR", RegisterId.Core(VectorOffset + 516, 4), RegisterGroup.Simd);

        // Only slice 0 (the low five bits of an id) exists: a slice holds 2048 bits, the longest vector SVE has.
        yield return Plain("SVE_VLS", SveLengths, RegisterGroup.Sve);
        for (var i = 0; i < 32; i++) yield return Plain($"Z{i}", Sve(i << 5, 256), RegisterGroup.Sve);
        for (var i = 0; i < 16; i++) yield return Plain($"P{i}", Sve(0x400 + (i << 5), 32), RegisterGroup.Sve);
        yield return Plain("FFR", Sve(0x600, 32), RegisterGroup.Sve);

        for (var i = 0; i < CacheCount; i++)
            yield return new($"CCSIDR[{i}]", RegisterId.Of(RegisterClass.Demux, (ushort)i, 4), RegisterGroup.Cache, CacheSize);
    }

    private static RegisterId Sve(int index, int bytes) => RegisterId.Of(RegisterClass.Sve, (ushort)index, bytes);

    private static RegisterInfo Plain(string name, RegisterId id, RegisterGroup group) => new(name, id, group, []);
}
