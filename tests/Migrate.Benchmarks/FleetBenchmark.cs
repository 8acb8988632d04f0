using System.Diagnostics;
using System.Globalization;
using Migrate.Model;
using Migrate.Model.Hosts;
using Migrate.Model.Registers;
using Migrate.Preflight;
using Migrate.Preflight.Fleet;

namespace Migrate.Benchmarks;

/// <summary>The matrix of a thousand hosts, every ordered pair: all of them different, and as real fleets are, a thousand hosts of twenty kinds.</summary>
internal static class FleetBenchmark
{
    private const int Hosts = 1000;
    private const int Kinds = 20;
    private const double LimitSeconds = 60;
    private const int Cores = 2;
    private const double LeastGain = 10;
    private const int MostRuns = 3;

    public static bool Run(int runs)
    {
        var different = Different(Hosts);
        var alike = Enumerable.Range(0, Hosts).Select(i => different[i % Kinds] with { Name = Name(i) }).ToList();
        var (seconds, processor, repeated, gain) = (new Figures(), new Figures(), new Figures(), new Figures());
        for (var run = 0; run < Math.Min(runs, MostRuns); run++)
        {
            var few = Measure(alike, Kinds);
            var many = Measure(different, Hosts);
            repeated.Add(few.Seconds);
            seconds.Add(many.Seconds);
            processor.Add(many.Processor);
            gain.Add(many.Processor / few.Processor);
        }
        using var self = Process.GetCurrentProcess();
        Console.WriteLine($"fleet  {Hosts} different hosts {seconds.Text("0.0", " s")}, processor time {processor.Text("0.0", " s")}; of {Kinds} kinds {repeated.Text("0.00", " s")}; "
            + string.Create(CultureInfo.InvariantCulture, $"memory peak {self.PeakWorkingSet64 / 1e6:0} MB; load {Load.Average}"));
        // By processor time, which a neighbour on the same cores does not lengthen as it does the clock; the pairs are shared out evenly.
        return Figures.Promise($"the matrix of {Hosts} different hosts under {LimitSeconds:0} s on {Cores} cores: {Cores * LimitSeconds:0} s of processor time",
                processor.Text("0.0", " s"), processor.Median < Cores * LimitSeconds)
            & Figures.Promise($"that of {Hosts} hosts of {Kinds} kinds at least {LeastGain:0} times faster", gain.Text("0", " times"), gain.Median >= LeastGain);
    }

    private static (double Seconds, double Processor) Measure(IReadOnlyList<FleetHost> hosts, int kinds)
    {
        GC.Collect();
        var before = Load.Processor;
        var clock = Stopwatch.StartNew();
        var report = FleetMatrix.Of(hosts, null, new PlanOptions());
        var seconds = clock.Elapsed.TotalSeconds;
        var processor = (Load.Processor - before).TotalSeconds;
        if (report.Hosts.Count(h => h.SameAs.Length == 0) != kinds) throw new InvalidOperationException($"the fleet does not have {kinds} kinds of host");
        if (report.Yes + report.No + report.Unproven != hosts.Count * (hosts.Count - 1)) throw new InvalidOperationException("the matrix does not have every pair");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"       {kinds} kinds: {seconds:0.00} s, processor {processor:0.00} s; {report.Yes} yes, {report.No} no, {report.Unproven} unproven; {report.Pairs.Count} cells, {report.Reasons.Count} different reasons; load {Load.Average}"));
        return (seconds, processor);
    }

    /// <summary>The measured hosts over and over, each time as another stepping of the CPU: what MIDR_EL1 says, and what is taken for it.</summary>
    private static List<FleetHost> Different(int count)
    {
        // Some kernels that follow each other say the same of a CPU model: those are one kind of host, as the matrix itself finds.
        FleetHost[] all = [.. LabHosts.All().Select((host, i) => new FleetHost(Name(i), host))];
        var report = FleetMatrix.Of(all, null, new PlanOptions());
        var measured = all.Zip(report.Hosts).Where(h => h.Second.SameAs.Length == 0).Select(h => h.First.Profile).ToArray();
        return [.. Enumerable.Range(0, count).Select(i => new FleetHost(Name(i), Stepping(measured[i % measured.Length], i / measured.Length)))];
    }

    private static string Name(int host) => host.ToString("'host-'0000", CultureInfo.InvariantCulture);

    private static HostProfile Stepping(HostProfile host, int stepping)
    {
        if (!RegisterCatalog.TryFind("MIDR_EL1", out var midr)) throw new InvalidOperationException("MIDR_EL1 has no name");
        var step = (uint)(stepping & 0xf) | (uint)(stepping >> 4 & 0xf) << 20;
        RegisterValue Of(RegisterValue value) => new(value.Low ^ step);
        RegisterAcceptance Vary(RegisterAcceptance register) => register.Id != midr || register.Reset is not { } reset ? register : register with
        {
            Reset = Of(reset),
            Accepts = register.Accepts with { Values = register.Accepts.Values.Select(Of).ToEquatableArray() },
        };
        return host with { Shapes = host.Shapes.Select(shape => shape with { Registers = shape.Registers.Select(Vary).ToEquatableArray() }).ToEquatableArray() };
    }
}
