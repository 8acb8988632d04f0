using System.Runtime.InteropServices;
using Migrate.Model;
using Migrate.Model.Plans;

namespace Migrate.Preflight;

/// <summary>Collects steps and findings and makes them one plan: steps by place, equal findings of several vCPUs united, worst first.</summary>
/// <param name="options">What the operator accepts.</param>
/// <param name="keepsSteps">Whether steps are asked for; a verdict needs the findings alone.</param>
internal sealed class PlanBuilder(PlanOptions options, bool keepsSteps)
{
    /// <summary>Findings that mean that no VM can be created or that it would be another one: accepting them by name leads nowhere.</summary>
    public static IReadOnlyList<FindingCode> NeverAcceptable { get; } =
    [
        FindingCode.IpaSize, FindingCode.MemoryLayout, FindingCode.VcpuFeatures, FindingCode.SveLengths, FindingCode.SmcccFilter,
        FindingCode.PageSize, FindingCode.Undescribable, FindingCode.MemoryTags, FindingCode.StepRefused,
    ];

    private readonly List<RestoreStep>[] _steps = keepsSteps ? [.. StepOrder.Places.Select(_ => new List<RestoreStep>())] : [];
    private readonly Dictionary<Finding, SortedSet<int>> _vcpus = [];
    private readonly List<Finding> _findings = [];

    /// <summary>Whether steps are kept; where they are not, whoever has many need not make them.</summary>
    public bool KeepsSteps => keepsSteps;

    /// <summary>Adds a step at the end of its place.</summary>
    public void Add(StepPlace place, RestoreStep step)
    {
        if (keepsSteps) _steps[(int)place].Add(step);
    }

    /// <summary>Adds a finding; one that differs from an earlier one in its vCPUs alone is united with it.</summary>
    public void Add(Finding finding)
    {
        var key = finding with { Vcpus = [], Accepted = MayAccept(finding) };
        ref var vcpus = ref CollectionsMarshal.GetValueRefOrAddDefault(_vcpus, key, out var known);
        vcpus ??= [];
        foreach (var vcpu in finding.Vcpus) vcpus.Add(vcpu);
        if (!known) _findings.Add(key);
    }

    /// <summary>Whether the operator's <c>--accept</c> lifts this finding.</summary>
    public bool MayAccept(Finding finding) =>
        options.Accept.Contains(finding.Code)
        && !NeverAcceptable.Contains(finding.Code)
        && (options.Policy == Policy.Vmmigrate || finding.Severity < Severity.Refused);

    /// <summary>The plan.</summary>
    public RestorePlan Build(Evidence ground) =>
        Conclude(options, _steps.SelectMany(s => s).ToEquatableArray(), _findings.Select(f => f with { Vcpus = _vcpus[f].ToEquatableArray() }), ground);

    /// <summary>The verdict on steps and findings. One of no rests on its best proven obstacle, any other on the weakest link.</summary>
    public static RestorePlan Conclude(PlanOptions options, EquatableArray<RestoreStep> steps, IEnumerable<Finding> found, Evidence ground)
    {
        var findings = found.OrderByDescending(f => f.Stops).ThenByDescending(f => f.Severity).ToEquatableArray();
        var stops = findings.Where(f => f.Stops).Select(f => f.Evidence).DefaultIfEmpty().Max();
        var unproven = findings.Any(f => f.Code == FindingCode.Unproven && !f.Accepted);
        var weakest = findings.Where(f => !f.Accepted).Aggregate(ground, (weak, f) => PlanContext.Weaker(weak, f.Evidence));
        return new RestorePlan
        {
            Verdict = stops != 0 ? Verdict.No
                : (unproven || weakest == Evidence.Assumed) && !options.AcceptAssumed ? Verdict.Unproven
                : Verdict.Yes,
            Policy = options.Policy,
            Evidence = stops != 0 ? stops : weakest,
            Steps = steps,
            Findings = findings,
        };
    }
}
