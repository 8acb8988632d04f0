using System.Collections.Frozen;
using Migrate.Model.Registers;

namespace Migrate.Model.Foreign;

/// <summary>Which fields of the identification registers a VM may be given below what its host offers, by kernel generation.</summary>
/// <remarks>
/// A line is a register, the kernel from which it holds and the fields: <c>*</c> is every field that <see cref="FieldSafety"/> has, <c>-NAME</c> takes one out.
/// A register without a line that holds must equal the host's value. A kernel between two lines gets the older, stricter one.
/// Source of the facts: arch/arm64/kvm/sys_regs.c <c>sys_reg_descs</c> (the last argument of ID_WRITABLE, ID_FILTERED and AA32_ID_SANITISED) of Linux 6.12 and
/// 7.2; that these registers are writable at all since 6.7 is from that release's pull request.
/// </remarks>
internal static class WritableFields
{
    private const string Table = """
        ID_PFR0_EL1 6.7 *
        ID_PFR1_EL1 6.7 *
        ID_DFR0_EL1 6.7 PerfMon CopDbg
        ID_MMFR0_EL1 6.7 *
        ID_MMFR1_EL1 6.7 *
        ID_MMFR2_EL1 6.7 *
        ID_MMFR3_EL1 6.7 *
        ID_ISAR0_EL1 6.7 *
        ID_ISAR1_EL1 6.7 *
        ID_ISAR2_EL1 6.7 *
        ID_ISAR3_EL1 6.7 *
        ID_ISAR4_EL1 6.7 *
        ID_ISAR5_EL1 6.7 *
        ID_MMFR4_EL1 6.7 *
        ID_ISAR6_EL1 6.7 *
        MVFR0_EL1 6.7 *
        MVFR1_EL1 6.7 *
        MVFR2_EL1 6.7 *
        ID_PFR2_EL1 6.7 *
        ID_MMFR5_EL1 6.7 *
        ID_AA64PFR0_EL1 6.7 * -AMU -MPAM -SVE -RAS -AdvSIMD -FP
        ID_AA64PFR0_EL1 7.2 * -AMU -MPAM -SVE -AdvSIMD -FP
        ID_AA64PFR1_EL1 6.12 SSBS BT
        ID_AA64PFR1_EL1 7.2 SSBS BT DF2 RAS_frac
        ID_AA64PFR2_EL1 6.12 FPMR
        ID_AA64PFR2_EL1 7.2 FPMR MTEFAR MTESTOREONLY GCIE
        ID_AA64ZFR0_EL1 6.7 *
        ID_AA64FPFR0_EL1 6.12 *
        ID_AA64DFR0_EL1 6.7 DoubleLock WRPs PMUVer DebugVer
        ID_AA64ISAR0_EL1 6.7 *
        ID_AA64ISAR1_EL1 6.7 * -GPI -GPA -API -APA
        ID_AA64ISAR2_EL1 6.7 * -APA3 -GPA3
        ID_AA64ISAR3_EL1 7.2 FPRCVT LSFE LSUI FAMINMAX
        ID_AA64MMFR0_EL1 6.7 * -ASIDBITS -TGRAN4_2 -TGRAN64_2 -TGRAN16_2
        ID_AA64MMFR0_EL1 7.2 * -ASIDBITS
        ID_AA64MMFR1_EL1 6.7 * -HCX -TWED -XNX -VH -VMIDBits
        ID_AA64MMFR1_EL1 7.2 * -XNX -VH -VMIDBits
        ID_AA64MMFR2_EL1 6.7 * -EVT -FWB -IDS -NV -CCIDX
        ID_AA64MMFR3_EL1 6.12 TCRX S1PIE S1POE
        ID_AA64MMFR3_EL1 7.2 TCRX S1PIE S1POE SCTLRX
        ID_AA64MMFR4_EL1 7.2 NV_frac
        CTR_EL0 6.12 DIC IDC DminLine IminLine
        CTR_EL0 7.2 DIC IDC DminLine L1Ip IminLine
        """;

    private readonly record struct Row(RegisterId Id, KernelVersion Since, FieldRule[] Fields);

    private static readonly FrozenDictionary<RegisterId, Row[]> Rows = RegisterTable.Lines(Table).Select(Parse)
        .GroupBy(row => row.Id).ToFrozenDictionary(group => group.Key, group => group.ToArray());

    /// <summary>The writable fields of a register, each with its rule; empty where every bit must equal the host's.</summary>
    public static IReadOnlyList<FieldRule> Of(RegisterId id, KernelVersion version)
    {
        FieldRule[] fields = [];
        if (Rows.TryGetValue(id, out var rows))
            foreach (var row in rows)
                if (row.Since.CompareTo(version) <= 0) fields = row.Fields;
        return fields;
    }

    private static Row Parse(string[] words)
    {
        var id = RegisterKinds.Id(words[0]);
        if (!KernelVersion.TryParse(words[1], out var since)) throw new InvalidOperationException($"no version: {words[1]}");
        var all = FieldSafety.Of(id);
        var fields = new List<FieldRule>();
        foreach (var word in words.AsSpan(2))
        {
            if (word is "*") fields.AddRange(all);
            else if (word[0] == '-') fields.Remove(Named(word[1..]));
            else fields.Add(Named(word));
        }
        return new Row(id, since, [.. fields]);

        FieldRule Named(string name)
        {
            foreach (var rule in all)
                if (rule.Field.Name == name) return rule;
            throw new InvalidOperationException($"the table of writable fields names {words[0]}.{name}, the table of field rules does not");
        }
    }
}
