using Migrate.Model.Hosts;
using Migrate.Model.Registers;
using Migrate.Preflight.Registers;

namespace Migrate.Preflight.Rules;

/// <summary>A register of a feature that the guest's own ID registers deny: some kernels list it all the same, others do not know it then.</summary>
/// <remarks>Source: arch/arm64/kvm/sys_regs.c, visibility functions since commits 0fcb4eea5345 and a68cddbe47ef; arch/arm64/tools/sysreg ID_AA64MMFR3_EL1.</remarks>
internal static class AbsentFeatureRule
{
    /// <summary>Fields of ID_AA64MMFR3_EL1 and the registers that exist only where they are not zero.</summary>
    private static readonly (string Feature, int Shift, RegisterId[] Registers)[] Mmfr3 =
    [
        ("TCRX", 0, [KnownRegisters.Tcr2]),
        ("SCTLRX", 4, [KnownRegisters.Sctlr2]),
        ("S1PIE", 8, [KnownRegisters.Pir, KnownRegisters.Pire0]),
        ("S1POE", 16, [KnownRegisters.Por0, KnownRegisters.Por1]),
    ];

    public static RegisterDecision? Relieve(in RegisterCase it)
    {
        if (it.Answer.Kind != AnswerKind.Unknown) return null;
        if (KnownRegisters.IsFeatureBlock(it.Id) && it.Value.IsZero) return it.LeftOut("a feature register that is not listed reads as zero, as this one does");
        foreach (var (feature, shift, registers) in Mmfr3)
        {
            if (Array.IndexOf(registers, it.Id) < 0) continue;
            return it.Guest(KnownRegisters.Mmfr3) is { } fields && (fields >> shift & 0xf) == 0
                ? it.LeftOut($"the guest's ID_AA64MMFR3_EL1.{feature} is 0: it has no such register") : null;
        }
        return null;
    }
}
