using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;
using Migrate.Preflight;
using Migrate.Simulation.Hosts;
using static Migrate.Tests.Preflight.Given;

namespace Migrate.Tests.Preflight;

/// <summary>A GICv3 that was captured, on hosts that say what theirs takes: the planner predicts what the simulated host then does.</summary>
public class InterruptControllerStateTests
{
    private const ulong Revision2 = 0x4b00_243b;
    private const ulong Revision3 = 0x4b00_343b;

    // Five priority bits, 16 identifier bits, affinity level 3.
    private const ulong Control = 0x8400;

    [Theory]
    [InlineData("GICD_IIDR", Revision3, "2", "revision 3|revision 2")]
    [InlineData("GICD_IIDR", Revision3, "2,3", "")]
    [InlineData("GICD_IIDR", Revision2, "2,3", "")]
    [InlineData("GICD_IIDR", 0x4b00_143bUL, "2,3", "revision 1|revision 2 or 3")]
    [InlineData("GICD_IIDR", 0x4c00_343bUL, "2,3", "0x4c00343b|0x4b00343b")]
    [InlineData("GICD_TYPER2", 0UL, "3", "")]
    [InlineData("GICD_TYPER2", 0x100UL, "3", "0x100|0x0")]
    [InlineData("ICC_CTLR_EL1", Control, "3", "")]
    [InlineData("ICC_CTLR_EL1", Control | 3, "3", "")]
    [InlineData("ICC_CTLR_EL1", 0x8300UL, "3", "")]
    [InlineData("ICC_CTLR_EL1", 0x8500UL, "3", "0x8500|0x8400")]
    [InlineData("ICC_CTLR_EL1", 0x8c00UL, "3", "0x8c00|0x8400")]
    [InlineData("ICC_CTLR_EL1", 0xc400UL, "3", "0xc400|0x8400")]
    [InlineData("ICC_CTLR_EL1", 0x0400UL, "3", "0x400|0x8400")]
    public void What_differs_from_the_hosts_own_is_refused_by_name(string register, ulong value, string revisions, string refused)
    {
        var host = Takes(revisions.Split(',').Select(int.Parse).ToArray());
        var state = WithGic(Of(register, value));
        var findings = Plan(state, host).Findings.Where(f => f.Code == FindingCode.StepRefused).ToList();
        Assert.Equal(refused.Length == 0 ? [] : [$"{register}: {refused} EINVAL"], findings.Select(f => $"{f.Subject}: {f.Here}|{f.There} {f.Answer}"));
        Assert.All(findings, f => Assert.NotEmpty(f.Remedy));

        var target = new SimulatedHost(host).NewTarget();
        var answers = target.Execute([new CreateVm(new VmType(0)), new CreateVcpu(0, Features), new CreateGic(state.Vm.Gic), new WriteDevice(state.Devices[0])]);
        Assert.Equal([0, 0, 0, refused.Length == 0 ? 0 : 22], answers.Select(a => a.Errno));
    }

    /// <summary>As Linux 6.16 to 6.19 do.</summary>
    [Fact]
    public void A_revision_that_is_taken_and_not_kept_is_a_change_of_which_the_guest_could_tell()
    {
        var host = Takes(3) is var takes ? takes with { Capabilities = [.. takes.Capabilities, new(GicV3State.TakesRevision(2), GicV3State.Ignored)] } : null!;
        var found = Assert.Single(Plan(WithGic(Of("GICD_IIDR", Revision2)), host).Findings, f => f.Stops);
        Assert.Equal((FindingCode.SilentlyChanged, Severity.Lossy, "GICD_IIDR", "revision 2", "reads back revision 3"), (found.Code, found.Severity, found.Subject, found.Here, found.Answer));
        Assert.Equal(Verdict.Yes, Plan(WithGic(Of("GICD_IIDR", Revision3)), host).Verdict);
    }

    [Fact]
    public void A_controller_that_nobody_asked_is_unproven()
    {
        var plan = Plan(WithGic(Of("GICD_IIDR", Revision3), Of("GICD_TYPER2", 0), Of("ICC_CTLR_EL1", Control)), Host());
        Assert.Equal(Verdict.Unproven, plan.Verdict);
        Assert.Equal(["GICD_IIDR", "GICD_TYPER2", "ICC_CTLR_EL1"], plan.Findings.Where(f => f.Code == FindingCode.Unproven).Select(f => f.Subject));
    }

    /// <summary>It has no word for the revision, so the destination keeps its own.</summary>
    [Fact]
    public void Qemu_writes_the_cpu_interface_and_no_revision()
    {
        var state = WithGic(Of("GICD_IIDR", Revision3), Of("GICD_TYPER2", 0x100), Of("ICC_CTLR_EL1", 0x8500));
        var plan = Planner.Plan(state, Takes(2), new PlanOptions { Policy = Policy.Qemu });
        Assert.Equal(["ICC_CTLR_EL1"], plan.Findings.Where(f => f.Code == FindingCode.StepRefused).Select(f => f.Subject));
    }

    private static HostProfile Takes(params int[] revisions) => Host() with
    {
        Capabilities =
        [
            new(GicV3State.OwnIidr, (long)GicV3State.WithRevision(Revision3, revisions.Max())), new(GicV3State.OwnTyper2, 0), new(GicV3State.OwnIccCtlr, (long)Control),
            .. revisions.Select(r => new HostCapability(GicV3State.TakesRevision(r), 1)),
        ],
    };

    private static MachineState WithGic(params DeviceAttribute[] attributes) =>
        Machine().WithVm(vm => vm with { Gic = new GicDescription(GicKind.GicV3, 0x800_0000, 0xa00_0000) }) with { Devices = [new DeviceState("gicv3", [.. attributes])] };

    private static DeviceAttribute Of(string register, ulong value) => register switch
    {
        "GICD_IIDR" => new(GicV3State.Distributor, GicV3State.Iidr, new RegisterValue(value, 4)),
        "GICD_TYPER2" => new(GicV3State.Distributor, GicV3State.Typer2, new RegisterValue(value, 4)),
        // Of the vCPU with the affinity 0.0.0.1.
        _ => new(GicV3State.CpuSystemRegisters, 1UL << 32 | GicV3State.IccCtlr, new RegisterValue(value)),
    };
}
