using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;
using Migrate.Preflight;
using static Migrate.Tests.Preflight.Given;

namespace Migrate.Tests.Preflight;

public class PlanPropertyTests
{
    private const int Rounds = 300;

    [Theory]
    [InlineData(Policy.Vmmigrate)]
    [InlineData(Policy.Strict)]
    [InlineData(Policy.Qemu)]
    public void A_captured_register_is_never_lost(Policy policy)
    {
        for (var seed = 0; seed < Rounds; seed++)
        {
            var (state, host) = Random(seed);
            var plan = Plan(state, host, policy);
            var accounted = plan.Steps.OfType<WriteRegister>().Select(w => w.Id)
                .Concat(plan.Steps.OfType<LeaveOut>().Select(l => l.Id))
                .Concat(plan.Findings.Where(f => f.Severity == Severity.Refused && f.Register is not null).Select(f => f.Register!.Value))
                .ToHashSet();
            Assert.All(state.Vcpus.SelectMany(v => v.Registers), r => Assert.True(accounted.Contains(r.Id),
                $"seed {seed}: {RegisterCatalog.Name(r.Id)} is lost"));
        }
    }

    [Fact]
    public void The_random_cases_reach_every_verdict_and_every_way_to_treat_a_register()
    {
        var plans = Enumerable.Range(0, Rounds).Select(seed => Plan(Random(seed).State, Random(seed).Host)).ToList();
        Assert.Equal(3, plans.Select(p => p.Verdict).Distinct().Count());
        Assert.Contains(plans, p => p.Steps.Any(s => s is LeaveOut));
        Assert.Contains(plans, p => p.Findings.Any(f => f.Severity == Severity.Refused));
        Assert.Contains(plans, p => p.Findings.Any(f => f.Code == FindingCode.SilentlyChanged));
    }

    [Fact]
    public void Equal_inputs_give_equal_plans()
    {
        for (var seed = 0; seed < Rounds; seed++)
        {
            var (one, other) = (Random(seed), Random(seed));
            Assert.Equal(Plan(one.State, one.Host), Plan(other.State, other.Host));
        }
    }

    [Fact]
    public void Planning_leaves_its_inputs_alone()
    {
        var (state, host) = Random(1);
        Plan(state, host);
        Assert.Equal(Random(1), (state, host));
    }

    [Fact]
    public void Blanking_the_boot_identity_changes_no_verdict()
    {
        for (var seed = 0; seed < Rounds; seed++)
        {
            var (state, host) = Random(seed);
            var (named, blank) = (Plan(state, host), Plan(state with { CapturedOn = null }, host with { Boot = new BootIdentity() }));
            Assert.Equal(named, blank);
        }
    }

    [Fact]
    public void A_yes_runs_on_the_destination_without_a_failure_and_reads_back_as_planned()
    {
        var yes = 0;
        for (var seed = 0; seed < Rounds; seed++)
        {
            var (state, host) = Random(seed);
            var plan = Planner.Plan(state, host, new PlanOptions { AcceptAssumed = true });
            if (plan.Verdict != Verdict.Yes || plan.Findings.Any(f => f.Code == FindingCode.Unproven)) continue;
            yes++;
            var target = new ProfileTarget(host.Shapes[0]);
            Assert.True(PlanRunner.Run(plan, StepPhase.Prepare, target).Succeeded, $"seed {seed}");
            Assert.True(PlanRunner.Run(plan, StepPhase.Apply, target).Succeeded, $"seed {seed}");
        }
        Assert.True(yes > 10, $"only {yes} plans said yes");
    }

    /// <summary>A machine of one random host and another random host: registers there or not, values accepted, changed, refused, unmeasured.</summary>
    private static (MachineState State, HostProfile Host) Random(int seed)
    {
        var random = new Random(seed);
        var strangers = Enumerable.Range(0, 4).Select(i => Any(RegisterId.System(3, 0, 15, i, 0), (ulong)random.Next(2))).ToList();
        var source = Profile([.. Base(), .. strangers]);
        var state = Machine(source, 1 + random.Next(3));
        var calm = random.Next(3) > 0;
        var there = new List<RegisterAcceptance>();
        foreach (var register in source.Shapes[0].Registers)
        {
            switch (random.Next(calm ? 60 : 12))
            {
                case 0:
                    break;
                case 1:
                    there.Add(register with { Accepts = Acceptance.Exactly(new RegisterValue(7)) });
                    break;
                case 2:
                    there.Add(register with { Accepts = Acceptance.Any, Stored = StoredAs.Always(1) });
                    break;
                case 3:
                    there.Add(register with { Accepts = Acceptance.Unproven });
                    break;
                default:
                    there.Add(register);
                    break;
            }
        }
        return (state, Profile(there) with { Evidence = random.Next(8) == 0 ? Evidence.Assumed : Evidence.Measured });
    }
}
