using Migrate.Model.Errors;
using Migrate.Model.Firmware;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Ports;
using Migrate.Preflight;
using static Migrate.Tests.Preflight.Given;

namespace Migrate.Tests.Preflight;

public class PlanRunnerTests
{
    [Fact]
    public void Runs_the_steps_of_one_phase_only()
    {
        var target = new ProfileTarget(Host().Shapes[0]);
        var plan = Plan(Machine(), Host());
        var report = PlanRunner.Run(plan, StepPhase.Prepare, target);
        Assert.True(report.Succeeded);
        Assert.Equal(plan.Steps.Where(s => s.Phase == StepPhase.Prepare), target.Executed);
        Assert.Equal(target.Executed.Count, report.Executed);
    }

    [Fact]
    public void A_refused_step_is_reported_by_its_index_and_the_rest_still_runs()
    {
        var plan = Plan(Machine().With(FirmwareRegisters.PsciVersion, Psci10).With(Mmfr1, 0), Host());
        var other = Host(Exactly(FirmwareRegisters.PsciVersion, Psci13, Psci13), Fields(Mmfr1, 1UL << 60));
        var report = PlanRunner.Run(plan, StepPhase.Prepare, new ProfileTarget(other.Shapes[0]));
        Assert.Equal([Mmfr1, FirmwareRegisters.PsciVersion], report.Failed.Select(f => ((WriteRegister)plan.Steps[f.Step]).Id));
        Assert.All(report.Failed, f => Assert.Equal(22, f.Errno));
        Assert.Empty(report.Differences);
    }

    [Fact]
    public void A_register_that_reads_back_otherwise_is_a_difference_even_if_written_in_the_phase_before()
    {
        var plan = Plan(Machine().With(Mmfr1, 0), Host());
        var target = new ProfileTarget(Host(Any(Mmfr1) with { Stored = StoredAs.Always(5) }).Shapes[0]);
        PlanRunner.Run(plan, StepPhase.Prepare, target);
        var difference = Assert.Single(PlanRunner.Run(plan, StepPhase.Apply, target).Differences);
        Assert.Equal((Mmfr1, 5UL), (difference.Id, difference.Actual!.Value.Low));
    }

    [Fact]
    public void A_counter_is_not_compared()
    {
        var plan = Plan(Machine().With(Cntvct, 99), Host());
        var target = new ProfileTarget(Host(Any(Cntvct) with { Stored = StoredAs.Always(1234) }).Shapes[0]);
        PlanRunner.Run(plan, StepPhase.Prepare, target);
        Assert.True(PlanRunner.Run(plan, StepPhase.Apply, target).Succeeded);
    }

    [Fact]
    public void A_left_out_register_is_neither_executed_nor_read()
    {
        var bmap2 = FirmwareRegisters.VendorHypervisor2.Id;
        var plan = Plan(Machine(Host(Bits(bmap2, 3))).With(bmap2, 0), Host());
        var target = new ProfileTarget(Host().Shapes[0]);
        Assert.True(PlanRunner.Run(plan, StepPhase.Prepare, target).Succeeded);
        Assert.DoesNotContain(target.Executed, s => s is LeaveOut);
    }

    [Fact]
    public void A_target_that_does_not_answer_every_step_is_a_protocol_error()
    {
        var error = Assert.Throws<MigrateException>(() => PlanRunner.Run(Plan(Machine(), Host()), StepPhase.Prepare, new SilentTarget()));
        Assert.Equal(ErrorCode.Protocol, error.Code);
    }

    [Fact]
    public void A_report_counts_every_register_of_every_vcpu_once()
    {
        var bmap2 = FirmwareRegisters.VendorHypervisor2.Id;
        var state = Machine(Host(Bits(bmap2, 3)), 2).With(bmap2, 0).With(Pfr0, 0x1100_0100_0000_0011);
        var host = Host([.. HostWithout(Vbar).Shapes[0].Registers]) with { Shapes = HostWithout(Vbar).Shapes };
        var report = Reports.Of(Plan(state, host), state, host, includePlan: false);
        Assert.Equal((2, 2, 2), (report.Changed, report.LeftOut, report.Refused));
        Assert.Equal(state.Vcpus.Sum(v => v.Registers.Count), report.Kept + report.Changed + report.LeftOut + report.Refused);
        Assert.Null(report.Plan);
        Assert.Equal("host (9.9.9)", report.Destination);
    }

    [Fact]
    public void A_default_machine_has_the_reset_values_and_an_address_per_vcpu()
    {
        var state = DefaultMachine.Of(Host(), Features, 18);
        Assert.Equal((0x8000_0000UL, 0x8000_0101UL), (Mpidr(state, 0), Mpidr(state, 17)));
        Assert.Equal([MpState.Runnable, MpState.Stopped], state.Vcpus.Select(v => v.MpState).Distinct());
        Assert.True(state.Vcpus[3].Registers.TryGet(FirmwareRegisters.PsciVersion, out var version) && version.Low == Psci11);
        Assert.Equal(ErrorCode.NotFound, Assert.Throws<MigrateException>(() => DefaultMachine.Of(Host(), VcpuFeatures.Sve)).Code);
        var refusing = Host() with { Shapes = [Host().Shapes[0] with { Errno = 22 }] };
        Assert.Equal(ErrorCode.Refused, Assert.Throws<MigrateException>(() => DefaultMachine.Of(refusing, Features)).Code);

        static ulong Mpidr(MachineState state, int vcpu) => state.Vcpus[vcpu].Registers.TryGet(Given.Mpidr, out var value) ? value.Low : 0;
    }

    private sealed class SilentTarget : IRestoreTarget
    {
        public IReadOnlyList<StepAnswer> Execute(IReadOnlyList<RestoreStep> steps) => [];

        public IReadOnlyList<ReadAnswer> Read(IReadOnlyList<RegisterAddress> registers) => [];
    }
}
