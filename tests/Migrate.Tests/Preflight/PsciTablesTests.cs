using Migrate.Model.Firmware;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using static Migrate.Tests.Preflight.Given;

namespace Migrate.Tests.Preflight;

/// <summary>The discussion's table of PSCI migrations under the register approach (requirement PSCI-2), "old" being a kernel without the register.</summary>
public class PsciTablesTests
{
    private static HostProfile New { get; } = Host(Exactly(FirmwareRegisters.PsciVersion, Psci11, Psci11, Psci10,
        2) with
    { Scope = RegisterScope.Vm });

    private static HostProfile Old { get; } = HostWithout(FirmwareRegisters.PsciVersion) with { Services = ["psci-0.2"] };

    private static MachineState Compat { get; } = Machine(New).With(FirmwareRegisters.PsciVersion, 2);

    [Fact]
    public void New_to_new_keeps_the_version()
    {
        var plan = Plan(Machine(New), New);
        Assert.Equal(Verdict.Yes, plan.Verdict);
        Assert.Equal(Psci11, plan.Write(FirmwareRegisters.PsciVersion).Value.Low);
    }

    [Fact]
    public void Old_to_new_works_but_does_not_pin_what_was_never_captured()
    {
        var plan = Plan(Machine(Old), New);
        Assert.Equal(Verdict.Yes, plan.Verdict);
        Assert.DoesNotContain(plan.Steps, s => s is WriteRegister w && w.Id == FirmwareRegisters.PsciVersion);
    }

    [Fact]
    public void New_to_old_is_refused_with_the_reason()
    {
        var plan = Plan(Machine(New), Old);
        Assert.Equal(Verdict.No, plan.Verdict);
        var finding = plan.Only(FindingCode.PsciVersion);
        Assert.Equal(("1.1", "0.2", "ENOENT"), (finding.Here, finding.There, finding.Answer));
    }

    [Fact]
    public void Compat_to_old_works_because_the_old_host_offers_that_version_anyway()
    {
        var plan = Plan(Compat, Old);
        Assert.Equal(Verdict.Yes, plan.Verdict);
        Assert.NotEmpty(plan.LeftOut(FirmwareRegisters.PsciVersion).Why);
    }

    [Fact]
    public void Compat_to_an_old_host_that_was_not_asked_for_its_version_is_unproven()
    {
        var plan = Plan(Compat, Old with { Services = [] });
        Assert.Equal((Verdict.Unproven, Evidence.Assumed), (plan.Verdict, plan.Evidence));
    }

    [Fact]
    public void Compat_without_the_psci_feature_means_version_0_1_and_0_2_is_refused()
    {
        var none = default(VcpuFeatures);
        var old = Profile(Old.Shapes[0].Registers, none);
        var state = Compat.WithVm(vm => vm with { Features = none });
        Assert.Equal(Verdict.No, Plan(state, old).Verdict);
        Assert.Equal(Verdict.Unproven, Plan(state.With(FirmwareRegisters.PsciVersion, 1), old).Verdict);
    }

    [Fact]
    public void Old_to_compat_works_and_leaves_the_pinned_version_alone()
    {
        var pinned = Host(Exactly(FirmwareRegisters.PsciVersion, 2, 2) with { Scope = RegisterScope.Vm });
        var plan = Plan(Machine(Old), pinned);
        Assert.Equal(Verdict.Yes, plan.Verdict);
        Assert.DoesNotContain(plan.Steps, s => s is WriteRegister w && w.Id == FirmwareRegisters.PsciVersion);
    }

    [Fact]
    public void Compat_to_new_keeps_the_pinned_version()
    {
        var plan = Plan(Compat, New);
        Assert.Equal(Verdict.Yes, plan.Verdict);
        Assert.Equal(2UL, plan.Write(FirmwareRegisters.PsciVersion).Value.Low);
    }

    [Fact]
    public void A_version_that_the_destination_lacks_is_refused_with_the_vmms_words()
    {
        var finding = Plan(Machine().With(FirmwareRegisters.PsciVersion, Psci13), Host()).Only(FindingCode.PsciVersion);
        Assert.Equal(("PSCI_VERSION", "1.3", "1.0, 1.1", "EINVAL"), (finding.Subject, finding.Here, finding.There, finding.Answer));
        Assert.Equal("create the VM with --psci 1.1 (QEMU: -cpu host,kvm-psci-version=1.1)", finding.Remedy);
    }
}
