using Migrate.Model;
using Migrate.Model.Firmware;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using static Migrate.Tests.Preflight.Given;

namespace Migrate.Tests.Preflight;

/// <summary>
/// The discussion's feature table (requirement PSCI-2) on SIMULATED hosts: no kernel ever had it. There the version follows from a vCPU feature and no register carries it: "old"
/// has PSCI 0.2 and no such feature, "new" gives 1.0 to a vCPU with the feature, "compat" is a VM of the new host without it.
/// </summary>
public class PsciFeatureTableTests
{
    /// <summary>A feature bit that no kernel has.</summary>
    private static readonly VcpuFeatures Psci10Feature = new(1UL << 20);

    private static readonly VcpuFeatures With = Features | Psci10Feature;

    private static HostProfile New { get; } = Simulated("psci-1.0", Shape(Features), Shape(With));

    /// <summary>An unknown feature bit is ENOENT: arch/arm64/kvm/arm.c kvm_vcpu_init_check_features.</summary>
    private static HostProfile Old { get; } = Simulated("psci-0.2", Shape(Features), Shape(With) with { Errno = 2, RefusedAt = "vcpu_init", Registers = [] });

    private static MachineState OfNew { get; } = Machine(New).WithVm(vm => vm with { Features = With });

    /// <summary>What its source answered it: the new host's kernel gives a VM without the feature PSCI 0.2, which its profile of such VMs says.</summary>
    private static HostProfile NewAsCompat { get; } = New with { Services = ["psci-0.2"] };

    private static MachineState Compat { get; } = Machine(New);

    [Fact]
    public void New_to_new_works() => Assert.Equal(Verdict.Yes, Migrate.Preflight.Planner.Plan(OfNew, New, new(), New).Verdict);

    [Fact]
    public void Old_to_new_works() => Assert.Equal(Verdict.Yes, Migrate.Preflight.Planner.Plan(Machine(Old), New, new(), Old).Verdict);

    [Fact]
    public void New_to_old_is_refused_where_the_VMM_insists_on_the_feature()
    {
        var finding = Assert.Single(Migrate.Preflight.Planner.Plan(OfNew, Old, new(), New).Stopping(), f => f.Code == FindingCode.VcpuFeatures);
        Assert.Equal((Severity.Refused, "ENOENT at vcpu_init"), (finding.Severity, finding.Answer));
    }

    [Fact]
    public void New_to_old_that_would_migrate_but_is_not_safe_for_the_guest_is_refused_with_the_reason()
    {
        // The row that the discussion warns of: the VMM drops what the old host does not know, every register is taken, and the guest loses what it was told.
        var dropped = OfNew.WithVm(vm => vm with { Features = Features });
        var plan = Migrate.Preflight.Planner.Plan(dropped, Old, new(), New);
        Assert.Equal(Verdict.No, plan.Verdict);
        var finding = Assert.Single(plan.Findings);
        Assert.Equal((FindingCode.PsciVersion, Severity.Unsafe, "service psci-1.0", "psci-0.2"), (finding.Code, finding.Severity, finding.Subject, finding.There));
        Assert.NotEmpty(finding.Remedy);
        Assert.Empty(finding.Answer);
        Assert.Equal(Verdict.Yes, Migrate.Preflight.Planner.Plan(dropped, Old, new() { Accept = new HashSet<FindingCode> { FindingCode.PsciVersion } }, New).Verdict);
    }

    [Fact]
    public void Compat_to_old_works() => Assert.Equal(Verdict.Yes, Migrate.Preflight.Planner.Plan(Compat, Old, new(), NewAsCompat).Verdict);

    [Fact]
    public void Old_to_compat_works() => Assert.Equal(Verdict.Yes, Migrate.Preflight.Planner.Plan(Machine(Old), NewAsCompat, new(), Old).Verdict);

    private static HostShape Shape(VcpuFeatures features) => HostWithout(FirmwareRegisters.PsciVersion).Shapes[0] with { Features = features };

    private static HostProfile Simulated(string psci, params HostShape[] shapes) =>
        Host() with { Boot = Host().Boot with { KvmMode = "simulated" }, Services = [psci], Shapes = shapes.ToEquatableArray() };
}
