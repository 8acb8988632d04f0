using Migrate.Model.Encoding;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Preflight;
using Migrate.Preflight.Baselines;

namespace Migrate.Tests.Preflight.Baselines;

/// <summary>What the lab did with baselines on real kernels (jobs baseline and baseline-restore), held against what is predicted from profiles alone.</summary>
public class RecordedBaselinesTests(ITestOutputHelper output)
{
    private const string UpdateVariable = "VMMIGRATE_UPDATE_BASELINES";

    public static TheoryData<string> Cpus => ["a64fx", "max", "neoverse-n1", "neoverse-v1"];

    public static TheoryData<string> Sources => [.. Directory.GetDirectories(Repository.Data("lab")).Where(d => File.Exists(Path.Combine(d, "baseline-new.vm"))).Select(d => Path.GetFileName(d)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Cpus))]
    public void The_recorded_baseline_is_what_the_command_finds_today(string cpu)
    {
        var found = Baseline.Of(Hosts(cpu), null, new PlanOptions());
        Recorded(cpu, found);
        found.Holds(Hosts(cpu));
    }

    [Theory]
    [InlineData("a64fx", 2, "ID_AA64DFR0_EL1.DebugVer, SMCCC_ARCH_WORKAROUND_3")]
    [InlineData("neoverse-n1", 2, "GICD_IIDR, ID_AA64DFR0_EL1.DebugVer")]
    [InlineData("neoverse-v1", 3, "ID_AA64DFR0_EL1.DebugVer, ID_AA64MMFR2_EL1.CCIDX")]
    [InlineData("max", 3, "GICD_IIDR, ID_AA64DFR0_EL1.DebugVer, ID_AA64MMFR1_EL1.HCX")]
    public void All_kernels_of_one_cpu_share_a_baseline_but_those_that_hold_something_at_another_value(string cpu, int pools, string obstacles)
    {
        var report = Read(cpu);
        Assert.Equal((pools, true), (report.Pools.Count, report.IsExact));
        Assert.All(report.Pools, p => Assert.Equal((Verdict.Yes, Evidence.Measured), (p.Verdict, p.Config.Evidence)));
        // No pool gives up what makes a VM worth having: the PMU, and vectors where the CPU has them.
        Assert.All(report.Pools, p => Assert.True(p.Config.Features.Has(VcpuFeatures.PmuV3) && p.Config.Features.Has(VcpuFeatures.Sve) == (cpu != "neoverse-n1")));
        var richest = report.Proofs.Where(p => report.Pools.Any(pool => pool.Config.Features == p.Features));
        Assert.Equal(obstacles, string.Join(", ", richest.Select(p => p.Subject).Distinct().Order(StringComparer.Ordinal)));
    }

    [Theory]
    [MemberData(nameof(Sources))]
    public void A_recorded_vm_of_a_baseline_moves_to_every_host_of_its_pool_and_to_none_that_the_proofs_exclude(string source)
    {
        var report = Read(CpuOf(source));
        var pool = report.Pools.Single(p => p.Hosts.Contains(source));
        var proofs = report.Proofs.Where(p => p.Features == pool.Config.Features && p.Witness.Source == source).ToArray();
        var planned = 0;
        foreach (var kind in new[] { "new", "ran" })
        {
            var state = (MachineState)DocumentFile.Read(File.ReadAllBytes(Repository.Data("lab", source, $"baseline-{kind}.vm")), source).Value;
            Assert.Equal((pool.Config.Features, pool.Config.Type), (state.Vm.Features, state.Vm.Type));
            foreach (var destination in pool.Hosts)
            {
                var plan = Planner.Plan(state, Fleet.Measured(destination).Profile, new PlanOptions(), Fleet.Measured(source).Profile);
                Assert.True(plan.Verdict == Verdict.Yes, $"{kind} -> {destination}: {plan.Verdict}, {string.Join("; ", plan.Findings.Where(f => f.Stops).Select(f => $"{f.Subject} {f.Here} {f.There} {f.Answer}"))}");
                planned++;
            }
            foreach (var proof in proofs)
            {
                var plan = Planner.Plan(state, Fleet.Measured(proof.Witness.Destination).Profile, new PlanOptions(), Fleet.Measured(source).Profile);
                Assert.Contains(plan.Findings, f => f.Stops && f.Subject == proof.Subject);
                planned++;
            }
        }
        output.WriteLine($"{planned} plans, {pool.Hosts.Count} hosts in the pool, {proofs.Length} excluded");
    }

    /// <summary>Pools of many keep hosts apart of which two alone have a baseline: each of these was created and tried both ways.</summary>
    [Theory]
    [MemberData(nameof(Cpus))]
    public void Two_hosts_of_different_pools_share_a_recorded_vm_or_have_a_proof(string cpu)
    {
        var hosts = Read(cpu).Pools.SelectMany(p => p.Hosts.Select(h => (Pool: p, Name: h))).OrderBy(h => h.Name, StringComparer.Ordinal).ToArray();
        var shared = new List<(string One, string Other)>();
        var proven = 0;
        foreach (var (one, other) in hosts.SelectMany((a, i) => hosts[(i + 1)..].Where(b => a.Pool != b.Pool).Select(b => (a.Name, b.Name))))
        {
            var found = Baseline.Of([Fleet.Measured(one), Fleet.Measured(other)], null, new PlanOptions());
            if (found.Verdict == Verdict.No)
            {
                Assert.NotEmpty(found.Proofs);
                proven++;
                continue;
            }
            Recorded($"{one}+{other}", found);
            shared.Add((one, other));
        }
        foreach (var (one, other) in shared)
        {
            IsRestored(one, other);
            IsRestored(other, one);
        }
        output.WriteLine($"{shared.Count} pairs share one, {proven} cannot");

        static void IsRestored(string source, string destination)
        {
            var state = (MachineState)DocumentFile.Read(File.ReadAllBytes(Repository.Data("lab", source, $"baseline-with-{destination}.vm")), source).Value;
            Assert.Equal(Verdict.Yes, Planner.Plan(state, Fleet.Measured(destination).Profile, new PlanOptions(), Fleet.Measured(source).Profile).Verdict);
            Assert.Contains($"{source}, {state.Vm.VcpuCount} vCPUs: yes, ", File.ReadAllText(Repository.Data("lab", destination, "baseline-restore.txt")));
        }
    }

    [Theory]
    [MemberData(nameof(Cpus))]
    public void What_two_real_kernels_hold_in_the_field_of_a_proof_has_nothing_in_common(string cpu)
    {
        var confirmed = 0;
        foreach (var proof in Read(cpu).Proofs)
        {
            var held = proof.Hosts.Select(h => Held(h, $"{proof.Features} {proof.Subject}")).ToArray();
            if (held.Any(h => h is null)) continue;
            Assert.All(held, h => Assert.NotEmpty(h!));
            Assert.Empty(held[0]!.Intersect(held[1]!));
            confirmed++;
        }
        output.WriteLine($"{confirmed} of {Read(cpu).Proofs.Count} proofs confirmed by both kernels");
    }

    [Fact]
    public void Something_is_recorded() => Assert.True(Sources.Count >= 2, "record the job baseline");

    /// <summary>Holds a report against the one that the lab works with, or writes that again.</summary>
    private static void Recorded(string name, BaselineReport found)
    {
        var (path, text) = (PathOf(name), JsonEncoding.Encode(Documents.Baseline, found) + "\n");
        if (Environment.GetEnvironmentVariable(UpdateVariable) == "1") File.WriteAllText(path, text);
        Assert.True(File.ReadAllText(path) == text,
            $"tests/Data/lab/baselines/{name}.json is another: run this test with {UpdateVariable}=1, read the difference, and record the jobs baseline and baseline-restore again");
    }

    private static BaselineHost[] Hosts(string cpu) => [.. Directory.GetDirectories(Repository.Data("lab"), $"*.{cpu}")
        .Where(d => File.Exists(Path.Combine(d, "probe.profile"))).Select(d => Path.GetFileName(d)).Order(StringComparer.Ordinal).Select(Fleet.Measured)];

    private static BaselineReport Read(string cpu) => (BaselineReport)DocumentFile.Read(File.ReadAllBytes(PathOf(cpu)), cpu).Value;

    private static string PathOf(string cpu) => Repository.Data("lab", "baselines", $"{cpu}.json");

    /// <summary>KERNEL.CPU, of which the kernel's series has one dot.</summary>
    private static string CpuOf(string host) => host.Split('.', 3)[2];

    /// <summary>The values that the kernel took and kept, as job baseline recorded them; null where it did not.</summary>
    private static ulong[]? Held(string host, string field)
    {
        var path = Repository.Data("lab", host, "baseline-holdings.txt");
        if (!File.Exists(path)) return null;
        var line = File.ReadLines(path).FirstOrDefault(l => l.StartsWith(field + ": ", StringComparison.Ordinal));
        return line is null ? null : [.. line[(field.Length + 2)..].Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(ulong.Parse)];
    }
}
