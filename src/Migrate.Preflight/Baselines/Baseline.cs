using Migrate.Model;
using Migrate.Model.Errors;
using Migrate.Model.Machines;
using Migrate.Model.Plans;

namespace Migrate.Preflight.Baselines;

/// <summary>The richest VM configuration that moves from every host of a set to every other.</summary>
public static class Baseline
{
    /// <summary>So many different profiles are divided into pools by excluding every smaller division; more are divided one by one.</summary>
    public const int ExactUpTo = 16;

    /// <summary>Finds the baseline. A pure function; the order of the hosts does not matter.</summary>
    /// <param name="hosts">At least one, each name once.</param>
    /// <param name="features">vCPU features that the VM must have; null: the most that serve every pair.</param>
    /// <param name="options">What the operator accepts; a pair succeeds where the planner says so with it.</param>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Usage"/>: no host, or a name twice; <see cref="ErrorCode.NotFound"/>: a host of which no VM is known.</exception>
    public static BaselineReport Of(IReadOnlyList<BaselineHost> hosts, VcpuFeatures? features, PlanOptions options)
    {
        if (hosts.Count == 0) throw new MigrateException(ErrorCode.Usage, "a baseline needs at least one host") { Stage = Stage.Input };
        if (hosts.GroupBy(h => h.Name).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new MigrateException(ErrorCode.Usage, $"two hosts are called '{twice.Key}'") { Stage = Stage.Input };
        foreach (var host in hosts) RequireVm(host, features);

        var groups = hosts.OrderBy(h => h.Name, StringComparer.Ordinal).GroupBy(h => h.Profile with { Boot = new() { PageSize = h.Profile.Boot.PageSize }, Origin = "" })
            .Select(g => new HostGroup(g.First(), [.. g.Select(h => h.Name)])).ToArray();
        var pools = new PoolSearch(groups, features, options);
        var (found, isExact) = pools.Run();
        var verdict = found.Count > 1 ? Verdict.No : found[0].Verdict;
        return new BaselineReport
        {
            Verdict = verdict,
            Hosts = hosts.Count,
            Profiles = groups.Length,
            IsExact = isExact,
            Pools = found.OrderBy(p => p.Hosts[0], StringComparer.Ordinal).ToEquatableArray(),
            Proofs = pools.Proofs().ToEquatableArray(),
        };
    }

    /// <summary>A host that serves not even a pool of its own is an input error and no answer.</summary>
    private static void RequireVm(BaselineHost host, VcpuFeatures? features)
    {
        if (features is not { } asked)
        {
            DefaultMachine.FeaturesOf(host.Profile);
            return;
        }
        if (HostView.Of(host, asked.Shape, GicKind.GicV3) is null)
            throw new MigrateException(ErrorCode.NotFound, $"{host.Name} does not create a vCPU with {asked.Shape}, or was not measured with it")
            { Stage = Stage.Input, Remedy = "Ask for features that every host has, or leave --features out." };
    }
}
