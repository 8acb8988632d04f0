using System.Collections.Concurrent;
using Migrate.Model.Encoding;
using Migrate.Model.Hosts;
using Migrate.Model.Plans;
using Migrate.Preflight;

namespace Migrate.Tests.Preflight;

/// <summary>Policy qemu, from two measured profiles alone, against what a real QEMU did between the same two hosts in the lab (job qemu).</summary>
public class QemuPairsTests(ITestOutputHelper output)
{
    private const int AtLeast = 3;

    private static readonly string Folder = Repository.Data("lab-pairs");

    private static readonly ConcurrentDictionary<string, HostProfile> Profiles = [];

    public static TheoryData<string> Pairs => [.. Directory.GetFiles(Folder, "qemu.txt", SearchOption.AllDirectories).Select(f => Path.GetFileName(Path.GetDirectoryName(f)!)).Order()];

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Predicts_the_outcome_and_the_words_of_a_real_qemu(string pair)
    {
        var recorded = Recorded(pair);
        var plan = Predict(pair);
        var refused = plan.Findings.Where(f => f.Severity == Severity.Refused).ToList();
        foreach (var finding in plan.Findings) output.WriteLine($"{finding.Severity} {finding.Code} {finding.Subject}: {finding.Here} | {finding.There} | {finding.Answer}");
        Assert.Equal(recorded[0] == "fails", refused.Count > 0);
        // What the guest would lose without QEMU noticing is a no as well.
        Assert.Equal(plan.Findings.Any(f => f.Stops), plan.Verdict == Verdict.No);

        // Each complaint about a register is predicted, and each that is predicted was printed.
        var printed = recorded.Where(IsAboutRegister).Select(Words).ToHashSet();
        var predicted = plan.Findings.SelectMany(f => f.Answer.Split("; ")).Select(a => a.Replace("QEMU: ", "", StringComparison.Ordinal))
            .Where(IsAboutRegister).ToHashSet();
        Assert.Equal(printed.Order(), predicted.Order());
        if (refused.Any(f => f.Answer.EndsWith("Invalid argument", StringComparison.Ordinal)))
            Assert.EndsWith(recorded[^1], refused.First(f => f.Answer.EndsWith("Invalid argument", StringComparison.Ordinal)).Answer);
    }

    [Fact]
    public void Enough_pairs_of_each_outcome_are_recorded()
    {
        var outcomes = Pairs.Select(p => Recorded(p.Data)[0]).ToList();
        Assert.True(outcomes.Count(o => o == "passes") >= AtLeast && outcomes.Count(o => o == "fails") >= AtLeast, string.Join(' ', outcomes));
        Assert.True(Pairs.Count(p => Predict(p.Data).Verdict == Verdict.Yes) >= AtLeast);
        Assert.All(outcomes, o => Assert.Contains(o, new[] { "passes", "fails" }));
    }

    [Fact]
    public void No_verdict_rests_on_the_kernels_version()
    {
        foreach (var row in Pairs)
            Assert.Equal(Predict(row.Data).Verdict, Predict(row.Data, blank: true).Verdict);
    }

    private static bool IsAboutRegister(string line) =>
        line.Contains("fail migration", StringComparison.Ordinal) || line.StartsWith("Could not set register", StringComparison.Ordinal);

    /// <summary>Without the C function in front and the value that stands there instead.</summary>
    private static string Words(string line) => line.Split(" (is ")[0].Replace("handle_cpreg_only_in_incoming_stream: ", "", StringComparison.Ordinal);

    private static string[] Recorded(string pair) => File.ReadAllLines(Path.Combine(Folder, pair, "qemu.txt"));

    /// <summary>QEMU's board virt with -cpu host has every vCPU feature that the host offers, and a GICv3.</summary>
    private static RestorePlan Predict(string pair, bool blank = false)
    {
        var hosts = pair.Split("-to-").Select(Profile).Select(p => blank ? p with { Boot = p.Boot with { KernelRelease = "" } } : p).ToList();
        return Planner.Plan(DefaultMachine.Of(hosts[0], null), hosts[1], new PlanOptions { Policy = Policy.Qemu }, hosts[0]);
    }

    private static HostProfile Profile(string host) => Profiles.GetOrAdd(host, static name =>
    {
        var path = Repository.Data("lab", name, "probe.profile");
        return (HostProfile)DocumentFile.Read(File.ReadAllBytes(path), path).Value;
    });
}
