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

    private const int MostlyEnough = 64;

    private readonly List<RestoreStep>[] _steps = keepsSteps ? [.. StepOrder.Places.Select(_ => new List<RestoreStep>())] : [];
    private readonly List<Finding> _findings = [];
    private readonly Dictionary<int, SortedSet<int>> _united = [];
    private Dictionary<Finding, int>? _places;

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
        // Many findings or none: a host of another kind has dozens.
        if (_places is null)
        {
            _places = new Dictionary<Finding, int>(MostlyEnough, FindingOfAnyVcpus.Comparer);
            _findings.EnsureCapacity(MostlyEnough);
        }
        ref var place = ref CollectionsMarshal.GetValueRefOrAddDefault(_places, finding, out var known);
        if (!known)
        {
            place = _findings.Count;
            var accepted = MayAccept(finding);
            _findings.Add(accepted == finding.Accepted ? finding : finding with { Accepted = accepted });
        }
        else if (finding.Vcpus != _findings[place].Vcpus)
        {
            ref var united = ref CollectionsMarshal.GetValueRefOrAddDefault(_united, place, out _);
            united ??= [.. _findings[place].Vcpus];
            foreach (var vcpu in finding.Vcpus) united.Add(vcpu);
        }
    }

    /// <summary>Whether the operator's <c>--accept</c> lifts this finding.</summary>
    public bool MayAccept(Finding finding) =>
        options.Accept.Contains(finding.Code)
        && !NeverAcceptable.Contains(finding.Code)
        && (options.Policy == Policy.Vmmigrate || finding.Severity < Severity.Refused);

    /// <summary>The plan.</summary>
    public RestorePlan Build(Evidence ground)
    {
        foreach (var (place, vcpus) in _united) _findings[place] = _findings[place] with { Vcpus = vcpus.ToEquatableArray() };
        return Conclude(options, keepsSteps ? _steps.SelectMany(s => s).ToEquatableArray() : [], _findings, ground);
    }

    /// <summary>The verdict on steps and findings. One of no rests on its best proven obstacle, any other on the weakest link.</summary>
    public static RestorePlan Conclude(PlanOptions options, EquatableArray<RestoreStep> steps, IReadOnlyList<Finding> found, Evidence ground)
    {
        var (stops, weakest, unproven) = (default(Evidence), ground, false);
        for (var i = 0; i < found.Count; i++)
        {
            var finding = found[i];
            if (finding.Stops && finding.Evidence > stops) stops = finding.Evidence;
            if (finding.Accepted) continue;
            weakest = PlanContext.Weaker(weakest, finding.Evidence);
            unproven |= finding.Code == FindingCode.Unproven;
        }
        return new RestorePlan
        {
            Verdict = stops != 0 ? Verdict.No
                : (unproven || weakest == Evidence.Assumed) && !options.AcceptAssumed ? Verdict.Unproven
                : Verdict.Yes,
            Policy = options.Policy,
            Evidence = stops != 0 ? stops : weakest,
            Steps = steps,
            Findings = WorstFirst(found),
        };
    }

    /// <summary>What stops comes first, then by severity, then as found.</summary>
    private static EquatableArray<Finding> WorstFirst(IReadOnlyList<Finding> found)
    {
        if (found.Count == 0) return [];
        Span<int> starts = stackalloc int[RanksEnd + 1];
        starts.Clear();
        for (var i = 0; i < found.Count; i++) starts[Rank(found[i]) + 1]++;
        for (var i = 1; i < starts.Length; i++) starts[i] += starts[i - 1];
        var findings = new Finding[found.Count];
        for (var i = 0; i < found.Count; i++) findings[starts[Rank(found[i])]++] = found[i];
        return [.. findings];
    }

    private const int RanksEnd = 2 * ((int)Severity.Refused + 1);

    private static int Rank(Finding finding) => Severity.Refused - finding.Severity + (finding.Stops ? 0 : RanksEnd / 2);
}
