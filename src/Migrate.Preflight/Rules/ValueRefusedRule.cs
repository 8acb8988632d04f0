using Migrate.Model.Hosts;
using Migrate.Model.Plans;
using Migrate.Preflight.Registers;

namespace Migrate.Preflight.Rules;

/// <summary>A value that the destination refuses, told field by field where it can be.</summary>
internal static class ValueRefusedRule
{
    public static IReadOnlyList<Finding>? Judge(in RegisterCase it)
    {
        if (it.Answer.Kind != AnswerKind.Refused) return null;
        var accepts = it.Accepts;
        var fields = accepts is null ? [] : FieldDifferences.Refused(it.Id, it.Value, accepts, it.There?.Reset);
        if (fields.Count == 0)
            return [it.Finding(FindingCode.ValueRefused, Severity.Refused, there: RegisterWords.Accepted(it.Id, accepts))];

        var findings = new List<Finding>(fields.Count);
        foreach (var field in fields)
        {
            var promised = PromisedFieldRule.IsPromise(it.Id, field.Bits);
            findings.Add(it.Finding(promised ? FindingCode.WorkaroundLevel : FindingCode.ValueRefused, Severity.Refused, field.Suffix,
                RegisterWords.Number(field.Here), field.ThereWords,
                remedy: KnownRegisters.IsImplementationId(it.Id) ? "choose a destination with the same CPU: the guest chose its workarounds for errata by this register"
                    : field.Accepted.Values.Count == 0 || promised ? ""
                    : string.Concat(["create the VM with ", it.Name, field.Suffix, "=", RegisterWords.Number(Wanted(field)), ", where the source's kernel lets it be set"])));
        }
        return findings;
    }

    private static ulong Wanted(FieldDifference field) => field.There is { } own && field.Accepted.Values.Contains(own) ? own : field.Accepted.Values[^1];
}
