using Migrate.Model;
using Migrate.Model.Errors;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;

namespace Migrate.Preflight.Fleet;

/// <summary>Plans every ordered pair of a fleet: the VM that one host creates, on every other.</summary>
public static class FleetMatrix
{
    /// <summary>How many reasons a pair keeps.</summary>
    public const int ReasonsKept = 8;

    /// <summary>The matrix of some hosts. A pure function; pairs of like hosts are planned once, pairs of others side by side on all processors.</summary>
    /// <param name="hosts">The fleet; names are unique.</param>
    /// <param name="features">vCPU features of the VM; null: each host's own default.</param>
    /// <param name="options">Policy and what the operator accepts.</param>
    /// <param name="planned">Told now and then how many of how many pairs are planned, from any thread; null: nobody asks.</param>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Usage"/>: two hosts have the same name.</exception>
    public static MatrixReport Of(IReadOnlyList<FleetHost> hosts, VcpuFeatures? features, PlanOptions options, Action<int, int>? planned = null)
    {
        if (hosts.Select(h => h.Name).Distinct(StringComparer.Ordinal).Count() != hosts.Count)
            throw new MigrateException(ErrorCode.Usage, "two hosts of the fleet have the same name") { Stage = Stage.Plan };
        var groups = HostGroups.Of(hosts);
        var sources = groups.Select(g => Source.Of(hosts[g[0]].Profile, features)).ToArray();
        var destinations = groups.Select(g => new PreparedHost(hosts[g[0]].Profile)).ToArray();
        var cells = new Cell[groups.Count * groups.Count];
        var reasons = new ReasonTable();
        var done = 0;
        Parallel.For(0, groups.Count, from =>
        {
            for (var to = 0; to < groups.Count; to++)
                if (from != to || groups[from].Count > 1) cells[from * groups.Count + to] = Judge(sources[from], destinations[to], options, reasons);
            planned?.Invoke(Interlocked.Add(ref done, groups.Count), cells.Length);
        });
        return Report(hosts, groups, sources, cells, features, options);
    }

    private static MatrixReport Report(IReadOnlyList<FleetHost> hosts, IReadOnlyList<IReadOnlyList<int>> groups, Source[] sources, Cell[] cells,
        VcpuFeatures? features, PlanOptions options)
    {
        var counts = new Dictionary<Verdict, int> { [Verdict.Yes] = 0, [Verdict.No] = 0, [Verdict.Unproven] = 0 };
        // In the order of the pairs, so that equal arguments give equal reports however the pairs were shared out.
        var seen = new List<Reason>();
        for (var i = 0; i < cells.Length; i++)
        {
            if (cells[i].Reasons is not { } ofPair) continue;
            var (from, to) = (i / groups.Count, i % groups.Count);
            var pairs = groups[from].Count * (from == to ? groups[from].Count - 1 : groups[to].Count);
            counts[cells[i].Verdict] += pairs;
            foreach (var reason in ofPair)
            {
                if (reason.Pairs == 0) seen.Add(reason);
                reason.Pairs += pairs;
            }
        }
        var reasons = seen.OrderByDescending(r => r.Pairs).ToArray();
        for (var i = 0; i < reasons.Length; i++) reasons[i].Number = i;
        var groupOf = groups.SelectMany((g, number) => g.Select(host => (host, number))).ToDictionary(g => g.host, g => g.number);
        return new MatrixReport
        {
            Policy = options.Policy,
            Features = features?.Shape.ToString() ?? "",
            Yes = counts[Verdict.Yes],
            Unproven = counts[Verdict.Unproven],
            No = counts[Verdict.No],
            Hosts = hosts.Select((host, index) => new MatrixHost
            {
                Name = host.Name,
                Description = Reports.Words(host.Profile.Boot),
                Evidence = host.Profile.Evidence,
                Features = sources[groupOf[index]].Machine?.Vm.Features.ToString() ?? "",
                SameAs = groups[groupOf[index]][0] is var first && first == index ? "" : hosts[first].Name,
            }).ToEquatableArray(),
            Reasons = reasons.Select(r => r.Finding).ToEquatableArray(),
            Pairs = Pairs(hosts, groups, cells).ToEquatableArray(),
        };
    }

    private static MatrixPair[] Pairs(IReadOnlyList<FleetHost> hosts, IReadOnlyList<IReadOnlyList<int>> groups, Cell[] cells)
    {
        var pairs = new MatrixPair[cells.Count(c => c.Reasons is not null)];
        for (int i = 0, next = 0; i < cells.Length; i++)
        {
            if (cells[i].Reasons is not { } reasons) continue;
            pairs[next++] = new MatrixPair
            {
                From = hosts[groups[i / groups.Count][0]].Name,
                To = hosts[groups[i % groups.Count][0]].Name,
                Verdict = cells[i].Verdict,
                Evidence = cells[i].Evidence,
                Stops = cells[i].Stops,
                Reasons = EquatableArray.Create<int>(Array.ConvertAll(reasons, r => r.Number)),
            };
        }
        return pairs;
    }

    private static Cell Judge(Source source, PreparedHost destination, PlanOptions options, ReasonTable reasons)
    {
        if (source.Machine is not { } machine)
        {
            var refused = source.Obstacle!.Stops;
            return new Cell(refused ? Verdict.No : Verdict.Unproven, source.Obstacle.Evidence, refused ? 1 : 0, reasons.Of([source.Obstacle]));
        }
        var plan = Planner.Judge(machine, destination, options, source.Host);
        var (all, stops) = MainReasons.Of(plan, destination.Profile);
        return new Cell(plan.Verdict, plan.Evidence, stops, reasons.Of(all));
    }

    /// <summary>What is known of a pair of groups; without reasons (and not with none) where nobody asks: a host alone in its group, with itself.</summary>
    private readonly record struct Cell(Verdict Verdict, Evidence Evidence, int Stops, Reason[]? Reasons);

    /// <summary>The VM that a host creates, or why it creates none.</summary>
    private sealed record Source(HostProfile Host, MachineState? Machine, Finding? Obstacle)
    {
        public static Source Of(HostProfile host, VcpuFeatures? features)
        {
            try
            {
                return new Source(host, DefaultMachine.Of(host, features), null);
            }
            catch (MigrateException e) when (e.Code is ErrorCode.NotFound or ErrorCode.Refused)
            {
                var refused = e.Code == ErrorCode.Refused;
                return new Source(host, null, new Finding
                {
                    Code = refused ? FindingCode.VcpuFeatures : FindingCode.Unproven,
                    Severity = refused ? Severity.Refused : Severity.Note,
                    Evidence = refused ? host.Evidence : Evidence.Assumed,
                    Subject = "vCPU features",
                    Here = refused ? $"the source refuses {features?.Shape}" : $"the source was not measured with {features?.Shape.ToString() ?? "any features"}",
                    Remedy = refused ? "ask about features that the source has" : "probe the source with these features",
                });
            }
        }
    }
}
