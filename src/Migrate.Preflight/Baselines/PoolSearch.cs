using Migrate.Model.Errors;
using Migrate.Model.Machines;
using Migrate.Model.Plans;

namespace Migrate.Preflight.Baselines;

/// <summary>Divides hosts into the fewest pools, each of which has a baseline.</summary>
/// <remarks>
/// That two hosts can share a pool is not transitive, and that every two of three can does not mean that the three can: so whole pools are tried. A part of a pool
/// that has a baseline has one too, which ends a branch as soon as a pool has none.
/// </remarks>
internal sealed class PoolSearch(IReadOnlyList<HostGroup> groups, VcpuFeatures? features, PlanOptions options)
{
    /// <summary>Divisions into equally many pools that are compared at most.</summary>
    private const int Compared = 64;

    private readonly Dictionary<string, PoolTrial> _trials = [];

    /// <summary>The pools, and whether no smaller division exists.</summary>
    /// <exception cref="MigrateException"><see cref="ErrorCode.NotFound"/>: a VM of a host cannot even be restored on that host.</exception>
    public (IReadOnlyList<BaselinePool> Pools, bool IsExact) Run()
    {
        var everybody = Enumerable.Range(0, groups.Count).ToArray();
        foreach (var one in everybody)
            if (!Trial([one]).IsServed)
                throw new MigrateException(ErrorCode.NotFound, $"a VM of {groups[one].Host.Name} cannot be restored on that host itself: {Trial([one]).Proofs().First().Witness.Reason}")
                { Stage = Stage.Plan, Remedy = "Probe the host again, or accept the finding by its code." };
        if (groups.Count > Baseline.ExactUpTo)
        {
            var pools = OneByOne();
            return ([.. pools.Select(pool => pool.Pool())], pools.Count == 1);
        }
        // Two hosts are tried in a fraction of the time that all take, and where two cannot share a pool all cannot.
        if (TryPairs() && Trial(everybody).IsServed) return ([Trial(everybody).Pool()], true);
        return ([.. Fewest().Select(pool => Trial(pool).Pool())], true);
    }

    /// <summary>Every pair of groups that cannot share a pool; where all can, the smallest set of the search that cannot.</summary>
    public IEnumerable<BaselineProof> Proofs()
    {
        var failed = _trials.Where(t => !t.Value.IsServed).Select(t => (Set: Read(t.Key), t.Value)).ToArray();
        var pairs = failed.Where(f => f.Set.Length == 2).ToArray();
        var shown = pairs.Length > 0 || failed.Length == 0 ? pairs : [failed.MinBy(f => (f.Set.Length, string.Join(',', f.Set.Select(i => $"{i:d6}"))))];
        return shown.OrderBy(f => f.Set[0]).ThenBy(f => f.Set[1]).SelectMany(f => f.Value.Proofs());
    }

    /// <summary>Tries every pair; whether all can share a pool.</summary>
    private bool TryPairs()
    {
        var all = true;
        for (var a = 0; a < groups.Count; a++)
            for (var b = a + 1; b < groups.Count; b++) all &= Trial([a, b]).IsServed;
        return all;
    }

    /// <summary>Tries two pools, then three, until divisions exist: groups in order, each into a pool of those before it or into a new one. Of several the richest.</summary>
    private List<int[]> Fewest()
    {
        for (var count = 2; ; count++)
        {
            var found = new List<List<int[]>>();
            Place(0, count, [], found);
            if (found.Count > 0) return found.MinBy(division => division.Sum(pool => Trial(pool).Poverty))!;
        }
    }

    private void Place(int group, int limit, List<int[]> pools, List<List<int[]>> found)
    {
        if (found.Count == Compared) return;
        if (group == groups.Count)
        {
            found.Add([.. pools]);
            return;
        }
        for (var i = 0; i < pools.Count; i++)
        {
            var pool = pools[i];
            if (!pool.All(other => Trial([other, group]).IsServed)) continue;
            int[] larger = [.. pool, group];
            if (!Trial(larger).IsServed) continue;
            pools[i] = larger;
            Place(group + 1, limit, pools, found);
            pools[i] = pool;
        }
        if (pools.Count == limit) return;
        pools.Add([group]);
        Place(group + 1, limit, pools, found);
        pools.RemoveAt(pools.Count - 1);
    }

    /// <summary>Each group into the first pool that takes it: as it is, or with a poorer configuration.</summary>
    private List<PoolTrial> OneByOne()
    {
        var pools = new List<(int[] Set, PoolTrial Trial)>();
        for (var group = 0; group < groups.Count; group++)
        {
            var placed = false;
            for (var i = 0; i < pools.Count && !placed; i++)
            {
                var (set, trial) = pools[i];
                int[] larger = [.. set, group];
                if (trial.With(groups[group]) is { } same) pools[i] = (larger, same);
                else if (Trial([set[0], group]).IsServed && Trial(larger) is { IsServed: true } poorer) pools[i] = (larger, poorer);
                else continue;
                placed = true;
            }
            if (!placed) pools.Add(([group], Trial([group])));
        }
        return [.. pools.Select(p => p.Trial)];
    }

    private PoolTrial Trial(int[] set)
    {
        var key = string.Join(',', set);
        if (!_trials.TryGetValue(key, out var trial)) _trials.Add(key, trial = new PoolTrial([.. set.Select(i => groups[i])], features, options));
        return trial;
    }

    private static int[] Read(string key) => [.. key.Split(',').Select(int.Parse)];
}
