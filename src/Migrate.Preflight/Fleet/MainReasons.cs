using Migrate.Model.Hosts;
using Migrate.Model.Plans;

namespace Migrate.Preflight.Fleet;

/// <summary>Why a plan's answer is not yes, the main reason first.</summary>
internal static class MainReasons
{
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
                var stopping = plan.Findings.Where(f => f.Stops).Select(WithoutVcpus).Distinct().ToList();
                return ([.. stopping.OrderByDescending(f => f.Severity).ThenBy(f => f.Register is null ? 0 : 1).Take(FleetMatrix.ReasonsKept)], stopping.Count);
            case Verdict.Unproven:
                return ([.. Unproven(plan, destination).Take(FleetMatrix.ReasonsKept)], 0);
            default:
                return ([], 0);
        }
    }

    private static IEnumerable<Finding> Unproven(RestorePlan plan, HostProfile destination)
    {
        if (destination.Evidence == Evidence.Assumed)
        {
            // Everything such a host answers is assumed: the findings say nothing more about why.
            yield return new Finding
            {
                Code = FindingCode.Unproven,
                Severity = Severity.Note,
                Evidence = Evidence.Assumed,
                Subject = "host profile",
                There = "assumed from a capture, not measured",
                Remedy = "probe the destination, or --accept assumed",
            };
        }
        else
        {
            foreach (var finding in plan.Findings.Where(f => !f.Accepted && (f.Code == FindingCode.Unproven || f.Evidence == Evidence.Assumed))
                         .OrderBy(f => f.Code == FindingCode.Unproven ? 0 : 1).Select(WithoutVcpus).Distinct())
                yield return finding;
        }
    }

    /// <summary>The matrix asks about a host's default machine, whose vCPUs are alike: their numbers would only keep like reasons apart.</summary>
    private static Finding WithoutVcpus(Finding finding) => finding with { Vcpus = [] };
}
