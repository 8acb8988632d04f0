using System.Numerics;
using Migrate.Model.Hosts;
using Migrate.Model.Plans;
using Migrate.Model.Registers;
using Migrate.Preflight.Registers;

namespace Migrate.Preflight.Rules;

/// <summary>A value that the destination refuses, told field by field where it can be.</summary>
internal static class ValueRefusedRule
{
    public static IReadOnlyList<Finding>? Judge(in RegisterCase it)
    {
        if (it.Answer.Kind != AnswerKind.Refused) return null;
        var accepts = it.Accepts;
        var own = it.There?.Reset;
        var fields = accepts is null ? [] : FieldDifferences.Refused(it.Id, it.Value, accepts, own);
        if (fields.Count == 0)
        {
            var promise = PromisedFieldRule.Broken(it.Id, ulong.MaxValue, it.Value.Low, own?.Low);
            return [it.Finding(CodeOf(it.Id, promise), Severity.Refused, there: RegisterWords.Accepted(it.Id, accepts), remedy: promise?.Remedy ?? "")];
        }

        var findings = new List<Finding>(fields.Count);
        foreach (var field in fields)
        {
            var promise = PromisedFieldRule.Broken(it.Id, field.Bits, it.Value.Low, own?.Low);
            findings.Add(it.Finding(CodeOf(it.Id, promise), Severity.Refused, field.Suffix, RegisterWords.Number(field.Here), field.ThereWords,
                remedy: promise is not null ? promise.Remedy
                    : field.Accepted.Values.Count == 0 ? ""
                    : Remedy(it, field)));
        }
        return findings;
    }

    /// <summary>A refused promise goes by the promise's name, so that accepting refused values in general does not break it.</summary>
    private static FindingCode CodeOf(RegisterId id, PromisedField? promise) =>
        promise?.Code ?? (KnownRegisters.IsImplementationId(id) ? FindingCode.ImplementationId : FindingCode.ValueRefused);

    /// <summary>A source that was measured says itself whether its VMs can be created otherwise.</summary>
    private static string Remedy(in RegisterCase it, in FieldDifference field)
    {
        var wanted = Wanted(field);
        var words = $"{it.Name}{field.Suffix}={RegisterWords.Number(wanted)}";
        var other = it.Value.Low & ~field.Bits | wanted << BitOperations.TrailingZeroCount(field.Bits);
        return it.Context.SourceTakes(it.Id, new RegisterValue(other, it.Value.Size)) switch
        {
            true => $"create the VM with {words}",
            false => "choose a destination that takes what the guest has (vmmigrate matrix shows which): the source's kernel lets no VM have the value that this one takes",
            _ => $"create the VM with {words}, where the source's kernel lets it be set",
        };
    }

    private static ulong Wanted(FieldDifference field) => field.There is { } own && field.Accepted.Values.Contains(own) ? own : field.Accepted.Values[^1];
}
