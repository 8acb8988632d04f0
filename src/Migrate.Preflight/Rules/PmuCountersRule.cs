using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;
using Migrate.Preflight.Registers;

namespace Migrate.Preflight.Rules;

/// <summary>
/// PMCR_EL0.N is the number of event counters that the guest was given. Newer kernels ignore a number above their own and say nothing; older ones keep any number,
/// and the guest programs counters that the hardware does not have.
/// </summary>
/// <remarks>
/// Source: Arm ARM (DDI 0487) PMCR_EL0.N; arch/arm64/kvm/sys_regs.c <c>set_pmcr</c> (always 0; N adopted up to the PMU's own before the first run, else ignored), <c>access_pmcr</c>.
/// </remarks>
internal static class PmuCountersRule
{
    private const int Shift = 11;
    private const ulong Counters = 0x1fUL << Shift;

    private const string Remedy = "create the VM with as many counters as every host has (KVM_ARM_VCPU_PMU_V3_SET_NR_COUNTERS), or without performance monitors (QEMU: -cpu host,pmu=off); accept pmu for a guest that does not profile";

    /// <summary>PMCR_EL0 alone.</summary>
    public static bool IsSubject(RegisterId id) => id == KnownRegisters.Pmcr;

    public static IReadOnlyList<Finding>? Judge(in RegisterCase it)
    {
        if (!IsSubject(it.Id) || !it.Context.State.Vm.Features.Has(VcpuFeatures.PmuV3)) return null;
        var reads = it.Answer.ReadsBack ?? it.Value;
        var (here, kept) = (In(it.Value.Low), In(reads.Low));
        // Where the number is kept, the hardware's own is what a new VM has.
        var there = kept != here ? kept : it.There?.Reset is { } own ? Math.Min(kept, In(own.Low)) : kept;
        if (there == here) return null;
        var finding = there < here
            ? it.Finding(FindingCode.Pmu, Severity.Lossy, ".N", RegisterWords.Number(here), RegisterWords.Number(there), remedy: Remedy)
            : it.Finding(FindingCode.Pmu, Severity.Note, ".N", RegisterWords.Number(here), RegisterWords.Number(there), remedy: "none needed: there are more counters than the guest was given");
        if (it.Answer.Kind != AnswerKind.Changed) return [finding with { Answer = "" }];
        finding = finding with { Answer = "reads back " + reads.ToShortString() };
        return ((it.Value.Low ^ reads.Low) & ~Counters) == 0 ? [finding] : WithOthers(it, finding);
    }

    private static List<Finding> WithOthers(in RegisterCase it, Finding counters)
    {
        var findings = new List<Finding> { counters };
        foreach (var other in SilentlyChangedRule.Judge(it) ?? [])
            if (other.Subject != counters.Subject) findings.Add(other);
        return findings;
    }

    private static ulong In(ulong control) => (control & Counters) >> Shift;
}
