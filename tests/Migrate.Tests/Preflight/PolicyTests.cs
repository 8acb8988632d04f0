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

    /// <summary>The level of Spectre v4 is written before the ID register that decides what it reads as: found by states of an a64fx on neoverse-v1.</summary>
    [Fact]
    public void Strict_sees_what_a_register_reads_as_once_a_later_one_is_written()
    {
        var (state, profile) = (Read("7.2.a64fx/psci.state"), Read("6.16.neoverse-v1/probe.profile"));
        var plan = Migrate.Preflight.Planner.Plan((Migrate.Model.Machines.MachineState)state, (Migrate.Model.Hosts.HostProfile)profile, new Migrate.Preflight.PlanOptions { Policy = Policy.Strict });
        var finding = Assert.Single(plan.Findings, f => f.Register == FirmwareRegisters.Workaround2);
        Assert.Equal(("reads back 0x3", Severity.Lossy), (finding.Answer, finding.Severity));

        static object Read(string name) => Migrate.Model.Encoding.DocumentFile.Read(File.ReadAllBytes(Repository.Data(Path.Combine("lab", name))), name).Value;
    }

    [Fact]
    public void Qemu_moves_to_an_equal_host() => Assert.Equal(Verdict.Yes, Plan(Machine(), Host(), Policy.Qemu).Verdict);

    [Fact]
    public void Qemu_fails_on_a_register_that_its_list_lacks_in_its_own_words()
    {
        var other = RegisterId.System(3, 0, 15, 1, 0);
        var plan = Plan(Machine(Host(Any(RegisterId.System(3, 0, 15, 0, 0)))), Host(Any(other)), Policy.Qemu);
        var finding = plan.Only(FindingCode.RegisterUnknown);
        Assert.Equal("ENOENT; QEMU: system register op0:3 op1:0 crn:15 crm:0 op2:0 in the incoming stream but unknown on the destination: fail migration", finding.Answer);
        Assert.Equal(Severity.Refused, finding.Severity);
    }

    [Fact]
    public void Qemu_says_which_value_could_not_be_set()
    {
        var plan = Plan(Machine(Host(Exactly(FirmwareRegisters.PsciVersion, Psci13, Psci13))), Host(), Policy.Qemu);
        Assert.Equal("EINVAL; QEMU: Could not set register fw reg 0 to 10003; Failed to put registers after init: Invalid argument", plan.Only(FindingCode.PsciVersion).Answer);
    }

    [Fact]
    public void Qemu_drops_a_second_bitmap_without_services_but_no_other_one()
    {
        var tolerated = Plan(Machine(Host(Bits(Bmap2, 3))).With(Bmap2, 0), Host(), Policy.Qemu);
        Assert.Equal(Verdict.Yes, tolerated.Verdict);
        tolerated.LeftOut(Bmap2);
        Assert.Equal(Severity.Refused, Plan(Machine(Host(Bits(Bmap2, 3))).With(Bmap2, 1), Host(), Policy.Qemu).Only(FindingCode.RegisterUnknown).Severity);
    }

    [Fact]
    public void Qemu_drops_a_register_of_a_hidden_feature_even_where_the_guest_used_it() =>
        Assert.Equal(Severity.Lossy, Plan(Machine(Host(Any(Tcr2), Any(Mmfr3))).With(Mmfr3, 1).With(Tcr2, 1), Host(Any(Mmfr3)), Policy.Qemu).Only(FindingCode.RegisterUnknown).Severity);

    [Fact]
    public void Qemu_forgets_a_failure_where_a_register_that_it_tolerates_comes_later()
    {
        var other = RegisterId.System(3, 0, 15, 0, 0);
        var plan = Plan(Machine(Host(Any(other), Bits(Bmap2, 3))).With(Bmap2, 0), Host(), Policy.Qemu);
        var finding = plan.Findings.Single(f => f.Register == other);
        Assert.Equal(Severity.Lossy, finding.Severity);
        Assert.Contains("and yet it goes on", finding.Answer);
        plan.LeftOut(other);
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
