using Migrate.Model.Machines;
using Migrate.Preflight;

namespace Migrate.Benchmarks;

/// <summary>The verdict about every ordered pair of the hosts measured in the lab, profiles loaded, beside the whole plan; in processor time.</summary>
internal static class VerdictBenchmark
{
    private const double LimitMicroseconds = 50;

    public static bool Run(int runs)
    {
        var hosts = LabHosts.All();
        var states = hosts.Select(host => DefaultMachine.Of(host, VcpuFeatures.Psci02 | VcpuFeatures.PmuV3)).ToList();
        var prepared = hosts.Select(host => new PreparedHost(host)).ToList();
        var options = new PlanOptions();
        var pairs = (from s in Enumerable.Range(0, hosts.Count) from d in Enumerable.Range(0, hosts.Count) select (Source: s, Destination: d)).ToList();

        void Judge((int Source, int Destination) pair) => Planner.Judge(states[pair.Source], prepared[pair.Destination], options, hosts[pair.Source]);
        void Plan((int Source, int Destination) pair) => Planner.Plan(states[pair.Source], hosts[pair.Destination], options, hosts[pair.Source]);
        var (verdict, plan) = (new Figures(), new Figures());
        foreach (var pair in pairs)
        {
            for (var i = 0; i < 50; i++)
            {
                Judge(pair);
                Plan(pair);
            }
        }
        for (var run = 0; run < runs; run++)
        {
            verdict.Add(Microseconds(pairs, Judge));
            plan.Add(Microseconds(pairs, Plan));
        }
        var alike = pairs.Where(p => Planner.Judge(states[p.Source], prepared[p.Destination], options, hosts[p.Source]).Findings.Count == 0).ToList();
        Console.WriteLine($"verdict {verdict.Text("0.0", " us")}, plan with its steps {plan.Text("0.0", " us")}, ratio {verdict.Median / plan.Median:0.00}; {pairs.Count} pairs, {alike.Count} without a finding");
        Console.WriteLine($"allocated by a verdict: {Allocated(alike, Judge):0} bytes where nothing is found, {Allocated(pairs, Judge):0} on average; by a plan {Allocated(pairs, Plan):0}");
        return Figures.Promise($"a verdict from loaded profiles under {LimitMicroseconds} us", verdict.Text("0.0", " us"), verdict.Median < LimitMicroseconds);
    }

    private static double Microseconds<T>(IReadOnlyCollection<T> pairs, Action<T> act)
    {
        const int Rounds = 20;
        var before = Load.Processor;
        for (var i = 0; i < Rounds; i++)
            foreach (var pair in pairs) act(pair);
        return (Load.Processor - before).TotalMicroseconds / Rounds / pairs.Count;
    }

    private static double Allocated<T>(IReadOnlyCollection<T> pairs, Action<T> act)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        foreach (var pair in pairs) act(pair);
        return (GC.GetAllocatedBytesForCurrentThread() - before) / (double)Math.Max(1, pairs.Count);
    }
}
