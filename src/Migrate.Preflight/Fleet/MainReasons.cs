using Migrate.Model.Hosts;
using Migrate.Model.Plans;

namespace Migrate.Preflight.Fleet;

/// <summary>Why a plan's answer is not yes, the main reason first.</summary>
internal static class MainReasons
{
    /// <summary>Everything that such a host answers is assumed: its findings say nothing more about why.</summary>
    private static readonly Finding Assumed = new()
    {
        Code = FindingCode.Unproven,
        Severity = Severity.Note,
        Evidence = Evidence.Assumed,
        Subject = "host profile",
        There = "assumed from a capture, not measured",
        Remedy = "probe the destination, or --accept assumed",
    };

    /// <summary>At most <see cref="FleetMatrix.ReasonsKept"/> reasons, and how many findings stop the move; none of either for a yes.</summary>
    /// <remarks>
    /// What concerns the whole machine comes before any register: no vCPU is created, whatever its registers. After that the plan's own order counts, worst
    /// first and then by place: an ID register before the registers that it controls.
    /// </remarks>
    public static (IReadOnlyList<Finding> Reasons, int Stops) Of(RestorePlan plan, HostProfile destination)
    {
        switch (plan.Verdict)
        {
            case Verdict.No:
                return Stopping(plan.Findings.Span);
            case Verdict.Unproven when destination.Evidence == Evidence.Assumed:
                return ([Assumed], 0);
            case Verdict.Unproven:
                return ([.. plan.Findings.Where(f => !f.Accepted && (f.Code == FindingCode.Unproven || f.Evidence == Evidence.Assumed))
                    .OrderBy(f => f.Code == FindingCode.Unproven ? 0 : 1).Take(FleetMatrix.ReasonsKept)], 0);
            default:
                return ([], 0);
        }
    }

    /// <summary>A plan has what stops it first, worst first.</summary>
    private static (IReadOnlyList<Finding> Reasons, int Stops) Stopping(ReadOnlySpan<Finding> findings)
    {
        var stops = 0;
        while (stops < findings.Length && findings[stops].Stops) stops++;
        var reasons = new List<Finding>(Math.Min(stops, FleetMatrix.ReasonsKept));
        for (int first = 0, end; first < stops && reasons.Count < FleetMatrix.ReasonsKept; first = end)
        {
            for (end = first; end < stops && findings[end].Severity == findings[first].Severity;) end++;
            Take(findings[first..end], ofRegister: false, reasons);
            Take(findings[first..end], ofRegister: true, reasons);
        }
        return (reasons, stops);
    }

    private static void Take(ReadOnlySpan<Finding> findings, bool ofRegister, List<Finding> reasons)
    {
        foreach (var finding in findings)
        {
            if (reasons.Count == FleetMatrix.ReasonsKept) return;
            if (finding.Register is not null == ofRegister) reasons.Add(finding);
        }
    }
}
