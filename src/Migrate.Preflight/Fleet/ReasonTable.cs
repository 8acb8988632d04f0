using System.Collections.Concurrent;
using Migrate.Model.Plans;

namespace Migrate.Preflight.Fleet;

/// <summary>Every reason of a matrix once: a million pairs share some thousands. Safe from several threads.</summary>
internal sealed class ReasonTable
{
    private readonly ConcurrentDictionary<Finding, Reason> _reasons = new(FindingOfAnyVcpus.Comparer);

    /// <summary>The reasons of a pair.</summary>
    public Reason[] Of(IReadOnlyList<Finding> findings)
    {
        if (findings.Count == 0) return [];
        var reasons = new Reason[findings.Count];
        for (var i = 0; i < reasons.Length; i++) reasons[i] = Of(findings[i]);
        return reasons;
    }

    /// <summary>The matrix asks about a host's default machine, whose vCPUs are alike: their numbers would only keep like reasons apart.</summary>
    private Reason Of(Finding finding) => _reasons.TryGetValue(finding, out var known) ? known
        : _reasons.GetOrAdd(finding with { Vcpus = [] }, static f => new Reason(f));
}

/// <summary>A reason and, once all pairs are planned, how many pairs of hosts it concerns and where it stands in the report.</summary>
/// <param name="finding">The reason.</param>
internal sealed class Reason(Finding finding)
{
    /// <summary>The reason.</summary>
    public Finding Finding => finding;

    /// <summary>How many pairs of hosts it concerns.</summary>
    public int Pairs { get; set; }

    /// <summary>Its index in the report.</summary>
    public int Number { get; set; }
}
