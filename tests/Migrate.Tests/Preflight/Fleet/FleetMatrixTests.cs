using Migrate.Cli.Sources;
using Migrate.Model.Errors;
using Migrate.Model.Firmware;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Preflight;
using Migrate.Preflight.Fleet;

namespace Migrate.Tests.Preflight.Fleet;

public sealed class FleetMatrixTests
{
    private static readonly PlanOptions Ours = new();

    /// <summary>The hosts of this program, one of them twice under another name and boot.</summary>
    private static List<FleetHost> Bundled()
    {
        var hosts = BundledHosts.Names.Select(n => new FleetHost(n, BundledHosts.Load(n))).ToList();
        hosts.Add(new FleetHost("again", hosts[2].Profile with { Boot = hosts[2].Profile.Boot with { BootId = "other", HostName = "again", KernelRelease = "99.9" } }));
        return hosts;
    }

    private static MatrixReport Of(params (string Name, HostProfile Profile)[] hosts) => FleetMatrix.Of([.. hosts.Select(h => new FleetHost(h.Name, h.Profile))], null, Ours);

    [Theory]
    [InlineData(Policy.Vmmigrate)]
    [InlineData(Policy.Strict)]
    [InlineData(Policy.Qemu)]
    public void Every_ordered_pair_has_the_answer_that_its_own_plan_gives(Policy policy)
    {
        var hosts = Bundled();
        var options = new PlanOptions { Policy = policy, AcceptAssumed = true };
        var matrix = FleetMatrix.Of(hosts, null, options);
        var counts = new Dictionary<Verdict, int>();
        for (var from = 0; from < hosts.Count; from++)
        {
            for (var to = 0; to < hosts.Count; to++)
            {
                if (from == to) continue;
                var plan = Planner.Plan(DefaultMachine.Of(hosts[from].Profile, null), hosts[to].Profile, options, hosts[from].Profile);
                counts[plan.Verdict] = counts.GetValueOrDefault(plan.Verdict) + 1;
                var pair = Assert.Single(matrix.Pairs, p => p.From == First(from) && p.To == First(to));
                Assert.Equal((plan.Verdict, plan.Evidence), (pair.Verdict, pair.Evidence));
                Assert.Equal(plan.Verdict == Verdict.No, pair.Stops > 0);
                Assert.All(pair.Reasons, r => Assert.Contains(plan.Findings, f => f with { Vcpus = [] } == matrix.Reasons[r]));
            }
        }
        Assert.Equal((counts.GetValueOrDefault(Verdict.Yes), counts.GetValueOrDefault(Verdict.No)), (matrix.Yes, matrix.No));
        Assert.True(matrix.Yes > 0 && matrix.No > 0);

        string First(int host) => matrix.Hosts[host].SameAs.Length > 0 ? matrix.Hosts[host].SameAs : matrix.Hosts[host].Name;
    }

    [Fact]
    public void Hosts_with_one_profile_are_one_group_whatever_their_boot_and_their_own_pair_counts_both_ways()
    {
        var host = Given.Host();
        var matrix = Of(("a", host), ("b", host with { Boot = host.Boot with { BootId = "c", HostName = "b", KernelRelease = "1.2.3", KernelBuild = "x", CommandLine = "y" }, Origin = "z" }));
        Assert.Equal(["", "a"], matrix.Hosts.Select(h => h.SameAs));
        var pair = Assert.Single(matrix.Pairs);
        Assert.Equal(("a", "a", Verdict.Yes, 2), (pair.From, pair.To, pair.Verdict, matrix.Yes));
    }

    [Fact]
    public void A_host_that_differs_in_one_accepted_value_or_in_its_page_size_is_another_group()
    {
        var host = Given.Host();
        var older = Given.Host(Given.Exactly(FirmwareRegisters.PsciVersion, Given.Psci10, Given.Psci10) with { Scope = RegisterScope.Vm });
        var matrix = Of(("a", host), ("older", older), ("pages", host with { Boot = host.Boot with { PageSize = 65536 } }));
        Assert.All(matrix.Hosts, h => Assert.Empty(h.SameAs));
        Assert.Equal(6, matrix.Pairs.Count);
        Assert.Equal((4, 2), (matrix.Yes, matrix.No));
        Assert.Equal(Verdict.No, matrix.Verdict);
        Assert.Equal(FindingCode.PsciVersion, Assert.Single(matrix.Reasons).Code);
    }

    [Fact]
    public void What_keeps_the_whole_machine_away_is_the_main_reason()
    {
        var without = Given.Host() with { IpaSizes = [36] };
        without = without with { Shapes = [without.Shapes[0] with { Registers = [.. without.Shapes[0].Registers.Where(r => r.Id != Given.Vbar)] }] };
        var matrix = Of(("a", Given.Host()), ("b", without));
        var pair = Assert.Single(matrix.Pairs, p => p.From == "a");
        Assert.Equal(2, pair.Stops);
        Assert.Equal([FindingCode.IpaSize, FindingCode.RegisterUnknown], pair.Reasons.Select(r => matrix.Reasons[r].Code));
    }

    [Fact]
    public void A_destination_that_nobody_asked_is_unproven_for_that_one_reason_and_yes_once_that_is_accepted()
    {
        var host = Given.Host();
        var assumed = host with { Evidence = Evidence.Assumed, Origin = "a capture", Shapes = [host.Shapes[0] with { Evidence = Evidence.Assumed }] };
        List<FleetHost> hosts = [new("a", host), new("b", assumed)];
        var matrix = FleetMatrix.Of(hosts, null, Ours);
        var there = Assert.Single(matrix.Pairs, p => p.To == "b");
        Assert.Equal((Verdict.Unproven, 0), (there.Verdict, there.Stops));
        Assert.Equal("host profile", matrix.Reasons[Assert.Single(there.Reasons)].Subject);
        var accepted = FleetMatrix.Of(hosts, null, Ours with { AcceptAssumed = true });
        Assert.Equal((Verdict.Yes, 2, 0), (accepted.Verdict, accepted.Yes, accepted.Reasons.Count));
    }

    [Fact]
    public void A_source_that_refuses_the_features_has_no_VM_to_move_and_one_that_was_not_asked_is_unproven()
    {
        var sve = Given.Features | VcpuFeatures.Sve;
        var host = Given.Host();
        var refusing = host with { Shapes = [.. host.Shapes, new HostShape { Features = sve, Errno = 22, RefusedAt = "vcpu_init" }] };
        var matrix = FleetMatrix.Of([new("refuses", refusing), new("silent", host)], sve, Ours);
        Assert.Equal("psci_0_2,sve", matrix.Features);
        Assert.All(matrix.Hosts, h => Assert.Empty(h.Features));
        var refused = Assert.Single(matrix.Pairs, p => p.From == "refuses");
        Assert.Equal((Verdict.No, FindingCode.VcpuFeatures), (refused.Verdict, matrix.Reasons[refused.Reasons[0]].Code));
        var silent = Assert.Single(matrix.Pairs, p => p.From == "silent");
        Assert.Equal((Verdict.Unproven, FindingCode.Unproven), (silent.Verdict, matrix.Reasons[silent.Reasons[0]].Code));
    }

    [Fact]
    public void The_same_fleet_gives_the_same_report_and_reasons_come_commonest_first()
    {
        var hosts = Bundled();
        var matrix = FleetMatrix.Of(hosts, null, Ours);
        Assert.Equal(matrix, FleetMatrix.Of(hosts, null, Ours));
        var members = matrix.Hosts.GroupBy(h => h.SameAs.Length > 0 ? h.SameAs : h.Name).ToDictionary(g => g.Key, g => g.Count());
        var concerned = new int[matrix.Reasons.Count];
        foreach (var pair in matrix.Pairs)
        {
            var pairs = members[pair.From] * (pair.From == pair.To ? members[pair.To] - 1 : members[pair.To]);
            foreach (var reason in pair.Reasons) concerned[reason] += pairs;
        }
        Assert.Equal(concerned.OrderDescending(), concerned);
    }

    [Fact]
    public void Progress_ends_at_all_pairs()
    {
        var most = (Done: 0, All: 0);
        var gate = new Lock();
        FleetMatrix.Of(Bundled(), null, Ours, (done, total) =>
        {
            lock (gate) most = done > most.Done ? (done, total) : most;
        });
        var all = BundledHosts.Names.Count * BundledHosts.Names.Count;
        Assert.Equal((all, all), most);
    }

    [Fact]
    public void Refuses_two_hosts_of_one_name()
    {
        var error = Assert.Throws<MigrateException>(() => Of(("a", Given.Host()), ("a", Given.Host())));
        Assert.Equal(ErrorCode.Usage, error.Code);
    }
}
