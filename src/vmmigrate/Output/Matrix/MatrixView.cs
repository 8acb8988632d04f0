using Migrate.Model.Plans;

namespace Migrate.Cli.Output.Matrix;

/// <summary>A matrix with its hosts and pairs by number, as both renderings walk it.</summary>
internal sealed class MatrixView
{
    private readonly MatrixPair?[] _pairs;
    private readonly int[] _members;
    private readonly int[] _main;
    private readonly int[] _any;

    public MatrixView(MatrixReport report)
    {
        Report = report;
        Groups = [.. report.Hosts.Where(h => h.SameAs.Length == 0)];
        var numbers = Groups.Select((host, number) => (host.Name, number)).ToDictionary(g => g.Name, g => g.number, StringComparer.Ordinal);
        GroupOf = [.. report.Hosts.Select(h => numbers[h.SameAs.Length == 0 ? h.Name : h.SameAs])];
        _members = [.. Enumerable.Range(0, Groups.Count).Select(g => GroupOf.Count(of => of == g))];
        _pairs = new MatrixPair?[Groups.Count * Groups.Count];
        _main = new int[report.Reasons.Count];
        _any = new int[report.Reasons.Count];
        foreach (var pair in report.Pairs)
        {
            var (from, to) = (numbers[pair.From], numbers[pair.To]);
            _pairs[from * Groups.Count + to] = pair;
            for (var i = 0; i < pair.Reasons.Count; i++)
            {
                _any[pair.Reasons[i]] += Weight(from, to);
                if (i == 0) _main[pair.Reasons[i]] += Weight(from, to);
            }
        }
    }

    public MatrixReport Report { get; }

    /// <summary>The first host of each group of like ones.</summary>
    public IReadOnlyList<MatrixHost> Groups { get; }

    /// <summary>The group of each host.</summary>
    public IReadOnlyList<int> GroupOf { get; }

    /// <summary>How many hosts are in a group.</summary>
    public int Members(int group) => _members[group];

    /// <summary>The answer for two groups; null for a host and itself.</summary>
    public MatrixPair? Pair(int from, int to) => _pairs[from * Groups.Count + to];

    /// <summary>Ordered pairs of hosts.</summary>
    public int Total => Report.Yes + Report.Unproven + Report.No;

    /// <summary>Pairs of hosts whose main reason it is.</summary>
    public int AsMain(int reason) => _main[reason];

    /// <summary>Pairs of hosts that it concerns.</summary>
    public int AsAny(int reason) => _any[reason];

    /// <summary>How many of the other hosts a host's VMs can move to, by verdict, or from how many they can come.</summary>
    public (int Yes, int Unproven, int No) Reach(int group, bool outward)
    {
        var (yes, unproven, no) = (0, 0, 0);
        for (var other = 0; other < Groups.Count; other++)
        {
            if ((outward ? Pair(group, other) : Pair(other, group)) is not { } pair) continue;
            var hosts = _members[other] - (other == group ? 1 : 0);
            switch (pair.Verdict)
            {
                case Verdict.Yes: yes += hosts; break;
                case Verdict.No: no += hosts; break;
                default: unproven += hosts; break;
            }
        }
        return (yes, unproven, no);
    }

    /// <summary>What it all comes to, one line.</summary>
    public string Headline
    {
        get
        {
            var pairs = Total == 1 ? "1 ordered pair" : $"{Total} ordered pairs";
            return $"{Report.Hosts.Count} hosts, {pairs}: {Report.Yes} yes, {Report.Unproven} unproven, {Report.No} no";
        }
    }

    private int Weight(int from, int to) => _members[from] * (from == to ? _members[to] - 1 : _members[to]);
}
