using System.Globalization;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Preflight.Registers;

namespace Migrate.Preflight.Rules;

/// <summary>Vector lengths, one by one: up to the guest's longest, the host must offer exactly those that the guest was given.</summary>
/// <remarks>Source: arch/arm64/kvm/guest.c <c>set_sve_vls</c>: EINVAL for a longest above the host's, a length that differs, or none at all.</remarks>
internal static class SveLengthsRule
{
    private const int Quadwords = 512;

    public static void Examine(PlanContext context)
    {
        if (!context.State.Vm.Features.Has(VcpuFeatures.Sve)) return;
        foreach (var vcpu in context.State.Vcpus)
        {
            if (vcpu.Registers.Contains(KnownRegisters.SveLengths)) continue;
            context.Plan.Add(new Finding
            {
                Code = FindingCode.SveLengths,
                Severity = Severity.Unsafe,
                Evidence = Evidence.Measured,
                Subject = "SVE_VLS",
                Register = KnownRegisters.SveLengths,
                Vcpus = [vcpu.Index],
                Here = "not captured",
                Remedy = "capture again: the destination would choose vector lengths of its own",
            });
        }
    }

    public static IReadOnlyList<Finding>? Judge(in RegisterCase it)
    {
        if (it.Id != KnownRegisters.SveLengths || it.Answer.Kind != AnswerKind.Refused) return null;
        var here = it.Value.ToArray();
        if (it.Value.IsZero) return [it.Finding(FindingCode.SveLengths, Severity.Refused, here: "none", there: "at least one length")];
        if (it.There?.Reset is not { } own) return [it.Finding(FindingCode.SveLengths, Severity.Refused, here: Words(here))];

        var there = own.ToArray();
        var (longestHere, longestThere) = (Longest(here), Longest(there));
        var findings = new List<Finding>();
        for (var quadwords = 1; quadwords <= longestHere; quadwords++)
        {
            var (given, offered) = (Has(here, quadwords), Has(there, quadwords));
            if (given == offered || (!given && quadwords > longestThere)) continue;
            findings.Add(it.Finding(FindingCode.SveLengths, Severity.Refused, string.Create(CultureInfo.InvariantCulture, $".{quadwords * 128}"),
                given ? "given" : "not given", offered ? "offered" : "not offered",
                remedy: given ? "create the VM with the lengths that both hosts offer (QEMU: sve<bits>=off)" : "create the VM with a longest vector below this one"));
        }
        return findings.Count > 0 ? findings : [it.Finding(FindingCode.SveLengths, Severity.Refused, here: Words(here), there: Words(there))];
    }

    private static bool Has(byte[] lengths, int quadwords) => (lengths[(quadwords - 1) / 8] >> ((quadwords - 1) % 8) & 1) != 0;

    private static int Longest(byte[] lengths)
    {
        for (var quadwords = Math.Min(Quadwords, lengths.Length * 8); quadwords > 0; quadwords--)
            if (Has(lengths, quadwords)) return quadwords;
        return 0;
    }

    private static string Words(byte[] lengths) => string.Join(", ",
        Enumerable.Range(1, Longest(lengths)).Where(q => Has(lengths, q)).Select(q => (q * 128).ToString(CultureInfo.InvariantCulture)));
}
