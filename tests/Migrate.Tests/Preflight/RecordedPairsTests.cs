using Migrate.Model;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;
using Migrate.Preflight;

namespace Migrate.Tests.Preflight;

/// <summary>What must hold of every plan between two hosts that the lab measured, in each direction.</summary>
public class RecordedPairsTests
{
    private static readonly HashSet<FindingCode> Every = [.. Enum.GetValues<FindingCode>()];

    [Theory]
    [InlineData(Policy.Vmmigrate)]
    [InlineData(Policy.Strict)]
    [InlineData(Policy.Qemu)]
    public void A_blank_kernel_version_changes_no_plan(Policy policy)
    {
        var options = new PlanOptions { Policy = policy };
        var plans = 0;
        foreach (var (name, state, source, there) in Pairs())
        {
            var blank = Planner.Plan(state with { CapturedOn = null }, Blank(there), options, Blank(source));
            Assert.True(Planner.Plan(state, there, options, source) == blank, $"{name} under {policy}");
            plans++;
        }
        Assert.True(plans > 700, $"only {plans}");
    }

    [Fact]
    public void Every_register_is_in_exactly_one_of_write_leave_out_and_refusal()
    {
        foreach (var (name, state, source, there) in Pairs(vcpus: 2))
        {
            var plan = Planner.Plan(state, there, new PlanOptions(), source);
            if (there.Shape(state.Vm.Features, state.Vm.Gic.Kind) is not { Errno: 0 } shape) continue;
            var written = plan.Steps.OfType<WriteRegister>().Select(w => (w.Vcpu, w.Id)).ToList();
            var leftOut = plan.Steps.OfType<LeaveOut>().Select(l => (l.Vcpu, l.Id)).ToList();
            var refused = plan.Findings.Where(f => f.Severity == Severity.Refused && f.Register is not null)
                .SelectMany(f => f.Vcpus.Count == 0 ? [(0, f.Register!.Value)] : f.Vcpus.Select(v => (v, f.Register!.Value))).Distinct().ToList();
            var all = written.Concat(leftOut).Concat(refused).ToList();
            Assert.True(all.Count == all.Distinct().Count(), $"{name}: {string.Join(", ", all.GroupBy(a => a).Where(g => g.Count() > 1).Select(g => RegisterCatalog.Name(g.Key.Item2)))} twice");
            var accounted = all.ToHashSet();
            foreach (var vcpu in state.Vcpus)
            {
                foreach (var register in vcpu.Registers)
                {
                    // What the VM has once is in the plan once, through the first vCPU.
                    if (vcpu.Index > 0 && accounted.Contains((0, register.Id)) && !accounted.Contains((vcpu.Index, register.Id))
                        && (KnownRegisters.IsCounter(register.Id) || Migrate.Preflight.Registers.RegisterCase.IsVmWideAt(register.Id, shape.Find(register.Id)))) continue;
                    Assert.True(accounted.Contains((vcpu.Index, register.Id)), $"{name}: {RegisterCatalog.Name(register.Id)} of vCPU {vcpu.Index} is lost");
                }
            }
        }
    }

    [Fact]
    public void Another_value_a_change_and_a_leave_out_always_say_why()
    {
        var (others, changes, left) = (0, 0, 0);
        foreach (var (name, state, source, there) in Pairs())
        {
            foreach (var accept in new[] { [], Every })
            {
                var plan = Planner.Plan(state, there, new PlanOptions { Accept = accept }, source);
                foreach (var step in plan.Steps)
                {
                    switch (step)
                    {
                        case LeaveOut l:
                            Assert.True(l.Why.Length > 10, $"{name}: {RegisterCatalog.Name(l.Id)} is left out without a reason");
                            left++;
                            break;
                        case WriteRegister { Captured: not null } w:
                            Assert.True(w.Why.Length > 10 && plan.Findings.Any(f => f.Register == w.Id), $"{name}: {RegisterCatalog.Name(w.Id)} is written otherwise without a reason");
                            others++;
                            break;
                        case WriteRegister { ReadsBack: { } reads } w when reads != w.Value:
                            Assert.True(plan.Findings.Any(f => f.Register == w.Id || (f.Subject == "PMU registers" && RegisterCatalog.Find(w.Id)?.Group == RegisterGroup.Pmu)),
                                $"{name}: {RegisterCatalog.Name(w.Id)} changes and nobody says so");
                            changes++;
                            break;
                    }
                }
            }
        }
        Assert.True(others > 100 && changes > 1000 && left > 1000, $"{others} others, {changes} changes, {left} left out");
    }

    [Fact]
    public void A_shape_that_was_not_measured_is_never_a_yes()
    {
        foreach (var (name, state, source, there) in Pairs())
        {
            var without = there with { Shapes = there.Shapes.Where(s => s.Features != state.Vm.Features).ToEquatableArray() };
            var plan = Planner.Plan(state, without, new PlanOptions { Accept = Every }, source);
            Assert.True(plan.Verdict == Verdict.Unproven && plan.Evidence == Evidence.Assumed, $"{name}: {plan.Verdict}");
        }
    }

    [Fact]
    public void A_register_that_was_not_measured_is_never_a_yes()
    {
        var unproven = 0;
        foreach (var host in Recordings.All.Values)
        {
            var state = DefaultMachine.Of(host, null);
            var plan = Planner.Plan(state, host, new PlanOptions(), host);
            Assert.Equal(Verdict.Yes, plan.Verdict);
            foreach (var id in plan.Steps.OfType<WriteRegister>().Select(w => w.Id).Where((_, at) => at % 9 == 0))
            {
                var unmeasured = host with
                {
                    Shapes = host.Shapes.Select(s => s.Features != state.Vm.Features ? s
                        : s with { Registers = s.Registers.Select(r => r.Id == id ? r with { Accepts = Acceptance.Unproven, When = [] } : r).ToEquatableArray() }).ToEquatableArray(),
                };
                Assert.True(Planner.Plan(state, unmeasured, new PlanOptions { Accept = Every.Except([FindingCode.Unproven]).ToHashSet() }, host).Verdict == Verdict.Unproven, RegisterCatalog.Name(id));
                unproven++;
            }
        }
        Assert.True(unproven > 500, $"only {unproven}");
    }

    [Fact]
    public void A_code_accepted_by_name_lifts_that_code_and_nothing_else()
    {
        var lifted = new HashSet<FindingCode>();
        foreach (var (name, state, source, there) in Pairs())
        {
            var plan = Planner.Plan(state, there, new PlanOptions(), source);
            foreach (var code in plan.Stopping().Select(f => f.Code).Distinct())
            {
                var accepting = Planner.Plan(state, there, new PlanOptions { Accept = new HashSet<FindingCode> { code } }, source);
                var still = accepting.Stopping().Select(f => (f.Code, f.Subject)).ToHashSet();
                Assert.All(plan.Stopping().Where(f => f.Code != code), f => Assert.True(still.Contains((f.Code, f.Subject)), $"{name}: accepting {code.Text()} lifted {f.Code.Text()} {f.Subject}"));
                if (PlanBuilder.NeverAcceptable.Contains(code)) Assert.Contains(accepting.Stopping(), f => f.Code == code);
                else Assert.DoesNotContain(accepting.Stopping(), f => f.Code == code);
                if (!still.Select(s => s.Code).Contains(code)) lifted.Add(code);
            }
        }
        Assert.Superset(new HashSet<FindingCode> { FindingCode.ValueRefused, FindingCode.PsciVersion, FindingCode.HypercallBitmap, FindingCode.WorkaroundLevel, FindingCode.ImplementationId }, lifted);
    }

    [Fact]
    public void No_acceptance_makes_a_plan_write_what_the_kernel_refuses()
    {
        var written = 0;
        foreach (var (name, state, source, there) in Pairs())
        {
            if (there.Shape(state.Vm.Features, state.Vm.Gic.Kind) is not { Errno: 0 } shape) continue;
            var plan = Planner.Plan(state, there, new PlanOptions { Accept = Every }, source);
            var target = new ProfileTarget(shape);
            foreach (var phase in Enum.GetValues<StepPhase>())
            {
                var report = PlanRunner.Run(plan, phase, target);
                Assert.True(report.Failed.Count == 0, $"{name}: {string.Join(", ", report.Failed.Select(f => plan.Steps[f.Step] is WriteRegister w ? RegisterCatalog.Name(w.Id) : plan.Steps[f.Step].ToString()))}");
                written += report.Executed;
            }
        }
        Assert.True(written > 100_000, $"only {written}");
    }

    [Theory]
    [InlineData(Policy.Strict)]
    [InlineData(Policy.Qemu)]
    public void No_acceptance_lifts_a_refusal_where_everything_is_written_as_captured(Policy policy)
    {
        foreach (var (name, state, source, there) in Pairs())
        {
            var refused = Planner.Plan(state, there, new PlanOptions { Policy = policy }, source).Findings.Count(f => f.Severity == Severity.Refused);
            var plan = Planner.Plan(state, there, new PlanOptions { Policy = policy, Accept = Every }, source);
            Assert.True(refused == plan.Stopping().Count(f => f.Severity == Severity.Refused), $"{name} under {policy}");
        }
    }

    /// <summary>Every ordered pair of recordings with the richest default VM of the source, and with the barest.</summary>
    private static IEnumerable<(string Name, MachineState State, HostProfile Source, HostProfile There)> Pairs(int vcpus = 1)
    {
        foreach (var (from, source) in Recordings.All)
        {
            foreach (var features in new[] { DefaultMachine.FeaturesOf(source), VcpuFeatures.Psci02 }.Distinct())
            {
                var state = DefaultMachine.Of(source, features, vcpus);
                foreach (var (to, there) in Recordings.All) yield return ($"{from} -> {to} ({features})", state, source, there);
            }
        }
    }

    private static HostProfile Blank(HostProfile host) => host with { Boot = new BootIdentity { PageSize = host.Boot.PageSize } };
}
