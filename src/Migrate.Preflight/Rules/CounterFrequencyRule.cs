using Migrate.Model.Plans;

namespace Migrate.Preflight.Rules;

/// <summary>CNTFRQ_EL0 is no KVM register, so no host ever refuses another one: the guest's clock would simply run at the wrong speed.</summary>
internal static class CounterFrequencyRule
{
    public static void Examine(PlanContext context)
    {
        var here = context.State.CounterFrequency != 0 ? context.State.CounterFrequency : context.Source?.CounterFrequency ?? 0;
        var there = context.Destination.CounterFrequency;
        if (here == 0 || there == 0)
        {
            context.Find(FindingCode.CounterFrequency, Severity.Note, "CNTFRQ_EL0", Words(here), Words(there),
                remedy: "probe both hosts: a difference is refused by nobody",
                evidence: Evidence.Assumed);
        }
        else if (here != there)
        {
            context.Find(FindingCode.CounterFrequency, Severity.Unsafe, "CNTFRQ_EL0", Words(here), Words(there),
                remedy: "choose a destination whose counter runs at the same frequency");
        }
    }

    private static string Words(ulong hertz) => hertz == 0 ? "unknown" : $"{hertz} Hz";
}
