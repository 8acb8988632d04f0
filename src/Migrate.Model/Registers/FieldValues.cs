using System.Collections.Frozen;

namespace Migrate.Model.Registers;

/// <summary>Words for the few field values that a person knows by a word and not by its number.</summary>
/// <remarks>
/// A field a line, an indented line continues it; <c>number=word</c>, with <c>_</c> for a blank.
/// Source of the facts: Linux 7.2 arch/arm64/tools/sysreg; implementers from arch/arm64/include/asm/cputype.h <c>ARM_CPU_IMP_*</c>.
/// </remarks>
internal static class FieldValues
{
    private const string Table = """
        MIDR_EL1.Implementer 65=Arm 66=Broadcom 67=Cavium 70=Fujitsu 72=HiSilicon 78=NVIDIA
          80=APM 81=Qualcomm 97=Apple 109=Microsoft 192=Ampere
        ID_AA64PFR0_EL1.GIC 0=none 1=GICv3 3=GICv4.1
        ID_AA64PFR0_EL1.AdvSIMD 15=none
        ID_AA64PFR0_EL1.FP 15=none
        ID_AA64PFR1_EL1.SSBS 0=none 1=SSBS 2=SSBS2
        ID_AA64PFR1_EL1.MTE 0=none 1=instructions_only 2=MTE2 3=MTE3
        ID_AA64DFR0_EL1.PMUVer 0=none 1=PMUv3 4=PMUv3.1 5=PMUv3.4 6=PMUv3.5 7=PMUv3.7 8=PMUv3.8 9=PMUv3.9 15=other
        ID_AA64DFR0_EL1.DebugVer 6=Armv8.0 7=Armv8.1 8=Armv8.2 9=Armv8.4 10=Armv8.8 11=Armv8.9
        ID_DFR0_EL1.PerfMon 0=none 1=PMUv1 2=PMUv2 3=PMUv3 4=PMUv3.1 5=PMUv3.4 6=PMUv3.5 7=PMUv3.7 8=PMUv3.8 9=PMUv3.9 15=other
        ID_PFR1_EL1.GIC 0=none 1=GICv3 3=GICv4.1
        ID_AA64MMFR0_EL1.PARANGE 0=32_bits 1=36_bits 2=40_bits 3=42_bits 4=44_bits 5=48_bits 6=52_bits 7=56_bits
        ID_AA64MMFR0_EL1.TGRAN4 0=4_KiB_pages 1=4_KiB_pages,_52_bits 15=no_4_KiB_pages
        ID_AA64MMFR0_EL1.TGRAN16 0=no_16_KiB_pages 1=16_KiB_pages 2=16_KiB_pages,_52_bits
        ID_AA64MMFR0_EL1.TGRAN64 0=64_KiB_pages 15=no_64_KiB_pages
        ID_AA64ZFR0_EL1.SVEver 1=SVE2 2=SVE2.1 3=SVE2.2 4=SVE2.3
        CTR_EL0.L1Ip 2=VIPT 3=PIPT
        """;

    private static readonly FrozenDictionary<(RegisterId Id, string Field, ulong Value), string> Words = Read();

    /// <summary>The word for a value (unsigned bits of the field), or null.</summary>
    public static string? Word(RegisterId id, string field, ulong value) => Words.GetValueOrDefault((id, field, value));

    /// <summary>Every field value with a word.</summary>
    public static IEnumerable<(RegisterId Id, string Field, ulong Value)> All => Words.Keys;

    private static FrozenDictionary<(RegisterId Id, string Field, ulong Value), string> Read()
    {
        var words = new Dictionary<(RegisterId, string, ulong), string>();
        foreach (var line in RegisterTable.Lines(Table))
        {
            var names = line[0].Split('.');
            RegisterCatalog.TryFind(names[0], out var id);
            foreach (var pair in line[1..].Select(word => word.Split('=')))
                words.Add((id, names[1], (ulong)RegisterTable.Number(pair[0])), pair[1].Replace('_', ' '));
        }
        return words.ToFrozenDictionary();
    }
}
