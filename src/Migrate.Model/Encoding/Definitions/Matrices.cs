using Migrate.Model.Plans;

namespace Migrate.Model.Encoding.Definitions;

/// <summary>The matrix of a fleet.</summary>
internal static class Matrices
{
    private const int MaxHosts = 1024;
    private const int MaxPairs = 1 << 20;
    private const int MaxReasons = 1 << 16;
    private const int MaxReasonsOfPair = 8;

    private static readonly Shape<string> Name = Shapes.TextUpTo(256);

    public static Shape<MatrixReport> Matrix { get; } = DefineMatrix();

    private static Shape<MatrixReport> DefineMatrix()
    {
        var hostList = Shapes.List(DefineHost(), MaxHosts).Where(hosts => Rules.Repeated(hosts, h => h.Name, h => $"host '{h.Name}'"));
        var pairList = Shapes.List(DefinePair(), MaxPairs).Where(pairs => Rules.Repeated(pairs, p => (p.From, p.To), p => $"the pair {p.From}, {p.To}"));
        var r = new RecordShape<MatrixReport>("MatrixReport", "For every ordered pair of hosts, whether the VM that one creates survives on the other, and why not.");
        var policy = r.Required("policy", Shapes.Enum<Policy>(), v => v.Policy, "Under which policy.");
        var features = r.Optional("features", Shapes.Text, v => v.Features, "", "The vCPU features that were asked for; absent: each host's own default VM.");
        var yes = r.Required("yes", Rules.Count, v => v.Yes, "Ordered pairs of different hosts whose answer is yes.");
        var unproven = r.Required("unproven", Rules.Count, v => v.Unproven, "Those whose answer rests on assumptions.");
        var no = r.Required("no", Rules.Count, v => v.No, "Those whose answer is no.");
        var hosts = r.Required("hosts", hostList, v => v.Hosts, "The hosts in the order in which they were given.");
        var reasons = r.Required("reasons", Shapes.List(Plans.Finding, MaxReasons), v => v.Reasons,
            "Every reason of a pair once, the one that concerns most pairs of hosts first.");
        var pairs = r.Required("pairs", pairList, v => v.Pairs,
            "One entry for every ordered pair of hosts that are not alike; hosts that are alike go by the first of them, and a pair of such a host with itself is there.");
        r.Rule(Problem);
        return r.Build(v => new MatrixReport
        {
            Policy = v.Get(policy),
            Features = v.Get(features),
            Yes = v.Get(yes),
            Unproven = v.Get(unproven),
            No = v.Get(no),
            Hosts = v.Get(hosts),
            Pairs = v.Get(pairs),
            Reasons = v.Get(reasons),
        });
    }

    private static Shape<MatrixHost> DefineHost()
    {
        var r = new RecordShape<MatrixHost>("MatrixHost", "A host of a matrix.").OneLine();
        var name = r.Required("name", Name, v => v.Name, "What it is called in this matrix; unique.");
        var description = r.Optional("description", Shapes.Text, v => v.Description, "", "The host and its kernel, for people.");
        var evidence = r.Required("evidence", Shapes.Enum<Evidence>(), v => v.Evidence, "How its answers are known.");
        var features = r.Optional("features", Shapes.Text, v => v.Features, "", "The vCPU features of the VM that it creates; absent where it creates none.");
        var sameAs = r.Optional("sameAs", Name, v => v.SameAs, "", "The first host with the same profile, boot identity aside; absent where this is it.");
        return r.Build(v => new MatrixHost
        {
            Name = v.Get(name),
            Description = v.Get(description),
            Evidence = v.Get(evidence),
            Features = v.Get(features),
            SameAs = v.Get(sameAs),
        });
    }

    private static Shape<MatrixPair> DefinePair()
    {
        var r = new RecordShape<MatrixPair>("MatrixPair", "One ordered pair of hosts.").OneLine();
        var from = r.Required("from", Name, v => v.From, "The host that creates the VM.");
        var to = r.Required("to", Name, v => v.To, "The host that it moves to.");
        var verdict = r.Required("verdict", Shapes.Enum<Verdict>(), v => v.Verdict, "The answer.");
        var evidence = r.Required("evidence", Shapes.Enum<Evidence>(), v => v.Evidence, "What the answer rests on.");
        var stops = r.Optional("stops", Rules.Count, v => v.Stops, 0, "How many findings stop the move.");
        var reasons = r.Optional("reasons", Shapes.List(Rules.Count, MaxReasonsOfPair), v => v.Reasons, default,
            "Why the answer is not yes, by index into reasons: the main one first.");
        return r.Build(v => new MatrixPair
        {
            From = v.Get(from),
            To = v.Get(to),
            Verdict = v.Get(verdict),
            Evidence = v.Get(evidence),
            Stops = v.Get(stops),
            Reasons = v.Get(reasons),
        });
    }

    /// <summary>Readers index by names and numbers: each must lead somewhere.</summary>
    private static string? Problem(MatrixReport matrix)
    {
        if (matrix.Hosts.Count == 0) return "a matrix without hosts";
        var first = matrix.Hosts.Where(h => h.SameAs.Length == 0).Select(h => h.Name).ToHashSet();
        foreach (var host in matrix.Hosts)
            if (host.SameAs.Length > 0 && !first.Contains(host.SameAs)) return $"host '{host.Name}' is like '{host.SameAs}', which is not there";
        foreach (var pair in matrix.Pairs)
        {
            if (!first.Contains(pair.From) || !first.Contains(pair.To)) return $"a pair {pair.From}, {pair.To} of hosts that are not there";
            foreach (var reason in pair.Reasons)
                if (reason >= matrix.Reasons.Count) return $"a pair {pair.From}, {pair.To} with reason {reason} of {matrix.Reasons.Count}";
        }
        return null;
    }
}
