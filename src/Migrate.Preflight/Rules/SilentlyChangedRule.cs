using Migrate.Model.Hosts;
using Migrate.Model.Plans;
using Migrate.Preflight.Registers;

namespace Migrate.Preflight.Rules;

/// <summary>A value that the destination accepts and does not keep: worse than a refusal, because nobody is told.</summary>
internal static class SilentlyChangedRule
{
    public static IReadOnlyList<Finding>? Judge(in RegisterCase it)
    {
        if (it.Answer is not { Kind: AnswerKind.Changed, ReadsBack: { } reads }) return null;
        var severity = KnownRegisters.IsIdentification(it.Id) || it.IsVmWide ? Severity.Unsafe : Severity.Lossy;
        var fields = FieldDifferences.Changed(it.Id, it.Value, reads);
        if (fields.Count == 0)
            return [it.Finding(FindingCode.SilentlyChanged, severity, there: reads.ToShortString(), answer: "reads back " + reads.ToShortString())];

        var findings = new List<Finding>(fields.Count);
        foreach (var field in fields)
        {
            var harmless = HiddenFieldRule.HarmlessChange(it, field.Bits);
            var promise = PromisedFieldRule.Broken(it.Id, field.Bits, it.Value.Low, reads.Low);
            findings.Add(it.Finding(promise?.Code ?? FindingCode.SilentlyChanged, harmless is null ? severity : Severity.Note,
                field.Suffix, RegisterWords.Number(field.Here), RegisterWords.Number(field.There ?? 0),
                "reads back " + reads.ToShortString(), promise?.Remedy ?? harmless ?? ""));
        }
        findings.AddRange(PromisedFieldRule.Judge(it) ?? []);
        return findings;
    }
}
