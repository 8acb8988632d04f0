using Migrate.Model.Firmware;
using Migrate.Model.Plans;
using Migrate.Model.Registers;
using static Migrate.Tests.Preflight.Given;

namespace Migrate.Tests.Preflight;

public class PolicyTests
{
    private static readonly RegisterId Bmap2 = FirmwareRegisters.VendorHypervisor2.Id;

    [Fact]
    public void Strict_writes_every_register_through_every_vcpu_in_list_order()
    {
        var state = Machine(vcpus: 2);
        var plan = Plan(state, Host(), Policy.Strict);
        Assert.Equal(Verdict.Yes, plan.Verdict);
        Assert.Equal(state.Vcpus.SelectMany(v => v.Registers.Select(r => (v.Index, r.Id, r.Value))),
            plan.Steps.OfType<WriteRegister>().Select(w => (w.Vcpu, w.Id, w.Value)));
    }

    [Fact]
    public void Strict_leaves_nothing_out_even_where_it_could()
    {
        var state = Machine(Host(Bits(Bmap2, 3))).With(Bmap2, 0);
        var plan = Plan(state, Host(), Policy.Strict);
        Assert.Equal(Bmap2, plan.Only(FindingCode.RegisterUnknown).Register);
        Assert.DoesNotContain(plan.Steps, s => s is LeaveOut);
    }

    [Fact]
    public void Strict_stops_at_a_change_that_does_no_harm() =>
        Assert.Equal(Verdict.No, Plan(Machine(), Host(Level(FirmwareRegisters.Workaround1, 2)), Policy.Strict).Verdict);

    [Fact]
    public void Qemu_moves_to_an_equal_host() => Assert.Equal(Verdict.Yes, Plan(Machine(), Host(), Policy.Qemu).Verdict);

    [Fact]
    public void Qemu_refuses_a_longer_list_in_its_own_words()
    {
        var state = Machine(Host(Bits(Bmap2, 3))).With(Bmap2, 0);
        var findings = Plan(state, Host(), Policy.Qemu).Findings;
        Assert.Contains(findings, f => f.Subject == "cpreg list" && f.Answer.Contains("Failed to load cpu:cpreg_vmstate_array_len",
            StringComparison.Ordinal));
        Assert.Contains(findings, f => f.Register == Bmap2);
    }

    [Fact]
    public void Qemu_counts_neither_core_nor_sve_registers()
    {
        var state = Machine(Host(Any(RegisterId.Core(8, 8)), Any(RegisterId.Core(16, 8))));
        Assert.DoesNotContain(Plan(state, Host(), Policy.Qemu).Findings, f => f.Subject == "cpreg list");
    }

    [Fact]
    public void Qemu_fails_on_a_register_that_its_list_lacks_although_the_lengths_allow_it()
    {
        var other = RegisterId.System(3, 0, 15, 1, 0);
        var plan = Plan(Machine(Host(Any(RegisterId.System(3, 0, 15, 0, 0)))), Host(Any(other)), Policy.Qemu);
        var finding = plan.Only(FindingCode.RegisterUnknown);
        Assert.Contains("load of migration failed", finding.Answer);
        Assert.Equal(Severity.Refused, finding.Severity);
    }

    [Fact]
    public void Qemu_drops_a_register_behind_its_last_one_without_a_word()
    {
        var plan = Plan(Machine(Host(Bits(Bmap2, 3))), Host(Any(RegisterId.System(3, 0, 15, 0, 0))), Policy.Qemu);
        Assert.Equal(Severity.Lossy, plan.Only(FindingCode.RegisterUnknown).Severity);
        plan.LeftOut(Bmap2);
    }

    [Fact]
    public void Qemu_moves_from_a_shorter_list_to_a_longer_one() =>
        Assert.Equal(Verdict.Yes, Plan(Machine(), Host(Bits(Bmap2, 3)), Policy.Qemu).Verdict);

    [Fact]
    public void Qemu_writes_system_registers_before_firmware_and_keeps_the_mitigation_rule()
    {
        var steps = Plan(Machine(), Host(), Policy.Qemu).Steps.OfType<WriteRegister>().Select(w => w.Id).ToList();
        Assert.True(steps.IndexOf(Pfr1) < steps.IndexOf(FirmwareRegisters.Workaround2));
        Assert.True(steps.IndexOf(FirmwareRegisters.PsciVersion) < steps.IndexOf(X0));
    }

    [Fact]
    public void A_refusal_is_not_acceptable_where_nothing_is_left_out()
    {
        var options = new Migrate.Preflight.PlanOptions { Policy = Policy.Strict, Accept = new HashSet<FindingCode> { FindingCode.RegisterUnknown } };
        Assert.Equal(Verdict.No, Migrate.Preflight.Planner.Plan(Machine(), HostWithout(Vbar), options).Verdict);
    }
}
