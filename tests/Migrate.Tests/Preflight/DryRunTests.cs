using Migrate.Model;
using Migrate.Model.Errors;
using Migrate.Model.Firmware;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Ports;
using Migrate.Model.Registers;
using Migrate.Preflight;
using Migrate.Preflight.Trials;
using Migrate.Tests.Simulation;
using static Migrate.Tests.Preflight.Given;

namespace Migrate.Tests.Preflight;

public class DryRunTests
{
    private static readonly RegisterId Bitmap2 = FirmwareRegisters.VendorHypervisor2.Id;

    [Fact]
    public void What_was_tried_in_full_needs_no_acceptance_of_assumptions()
    {
        var host = Host().Assumed();
        var state = Machine(host, vcpus: 2);
        Assert.Equal(Verdict.Unproven, Plan(state, host).Verdict);
        var scratch = new FakeScratchHost(host);
        var report = DryRun.Run(state, host, new PlanOptions(), scratch);
        Assert.Equal((Verdict.Yes, Evidence.Tried), (report.Verdict, report.Evidence));
        var trial = Assert.IsType<TrialReport>(report.Trial);
        var plan = Plan(state, host);
        Assert.Equal(plan.Steps, scratch.Target!.Executed);
        Assert.Equal(plan.Steps.Count, trial.Executed);
        Assert.Equal(plan.Steps.OfType<WriteRegister>().Count(w => w.ReadsBack is not null), trial.Compared);
        Assert.Empty(trial.Failed);
        Assert.Empty(trial.Untried);
        Assert.True(scratch.Target.IsDisposed);
    }

    [Fact]
    public void A_host_that_refuses_what_its_profile_takes_is_found_out_by_register_and_errno()
    {
        var profile = Host();
        var report = Try(Machine(profile).With(Mmfr1, 1UL << 60), Host(Any(Mmfr1)), Host(Fields(Mmfr1, 0)));
        var finding = Assert.Single(report.Findings, f => f.Stops);
        Assert.Equal((FindingCode.ValueRefused, Severity.Refused, Evidence.Tried), (finding.Code, finding.Severity, finding.Evidence));
        Assert.Equal(("ID_AA64MMFR1_EL1", "0x1000000000000000", "EINVAL", "taken"), (finding.Subject, finding.Here, finding.Answer, finding.Predicted));
        Assert.Equal((Verdict.No, Evidence.Tried, 1), (report.Verdict, report.Evidence, report.Refused));
        Assert.Equal(22, Assert.Single(report.Trial!.Failed).Errno);
        Assert.Empty(report.Trial.Differences);
    }

    [Fact]
    public void A_register_that_the_host_does_not_know_is_one()
    {
        var report = Try(Machine(), Host(), HostWithout(Vbar));
        var finding = Assert.Single(report.Findings, f => f.Stops);
        Assert.Equal((FindingCode.RegisterUnknown, "ENOENT", "no such register"), (finding.Code, finding.Answer, finding.There));
        Assert.Equal([0], finding.Vcpus);
    }

    [Fact]
    public void A_host_that_changes_what_its_profile_keeps_is_found_out_by_reading_back()
    {
        var profile = Host();
        var report = Try(Machine(profile, vcpus: 2).With(Vbar, 0x800), profile, Host(Any(Vbar) with { Stored = StoredAs.Always(5) }));
        var finding = Assert.Single(report.Findings, f => f.Stops);
        Assert.Equal((FindingCode.SilentlyChanged, Severity.Lossy, "reads back 0x5", "reads back 0x800"), (finding.Code, finding.Severity, finding.Answer, finding.Predicted));
        Assert.Equal([0, 1], finding.Vcpus);
        Assert.Equal((Verdict.No, 2, 0), (report.Verdict, report.Changed, report.Refused));
        var identification = Try(Machine(profile), profile, Host(Any(Mmfr1) with { Stored = StoredAs.Always(5), Scope = RegisterScope.Vm }));
        Assert.Equal((Severity.Unsafe, 1), (Assert.Single(identification.Findings, f => f.Stops).Severity, identification.Changed));
    }

    [Theory, InlineData(0x8000_0001, Evidence.Tried), InlineData(0x8000_0000, Evidence.Measured)]
    public void A_note_about_several_registers_is_tried_where_each_changed_as_expected(ulong reads, Evidence evidence)
    {
        var control = Any(RegisterId.System(3, 3, 9, 12, 0), reset: 1 << 11);
        var mask = RegisterId.System(3, 3, 9, 12, 1);
        var profile = Host(control, Any(mask) with { Stored = StoredAs.Always(0x8000_0001) });
        var report = Try(Machine(profile).With(mask, 0x8000_0003), profile, Host(control, Any(mask) with { Stored = StoredAs.Always(reads) }));
        var note = Assert.Single(report.Findings, f => f.Subject == "PMU registers");
        Assert.Equal((FindingCode.SilentlyChanged, Severity.Note, evidence), (note.Code, note.Severity, note.Evidence));
    }

    [Fact]
    public void A_refusal_that_the_plan_foresaw_and_tried_is_confirmed_and_no_disagreement()
    {
        var host = Host(Fields(Mmfr1, 0));
        var report = Try(Machine(host).With(Mmfr1, 3), host, host, new PlanOptions { Policy = Policy.Strict });
        var finding = Assert.Single(report.Findings, f => f.Stops && f.Register == Mmfr1);
        Assert.Equal((Evidence.Tried, "EINVAL", ""), (finding.Evidence, finding.Answer, finding.Predicted));
        Assert.Single(report.Trial!.Failed);
    }

    [Fact]
    public void A_refusal_that_the_plan_foresaw_and_the_host_does_not_give_stops_nothing_and_says_so()
    {
        var profile = Host(Fields(Mmfr1, 0));
        var report = Try(Machine(profile).With(Mmfr1, 3), profile, Host(Any(Mmfr1)), new PlanOptions { Policy = Policy.Strict });
        var finding = Assert.Single(report.Findings, f => f.Register == Mmfr1);
        Assert.Equal((Severity.Note, "EINVAL", "taken"), (finding.Severity, finding.Predicted, finding.Answer));
        Assert.Equal(Verdict.Yes, report.Verdict);
    }

    [Fact]
    public void What_the_plan_refuses_is_not_written_and_stays_what_it_was()
    {
        var host = Host(Fields(Mmfr1, 0));
        var scratch = new FakeScratchHost(Host(Any(Mmfr1)));
        var report = DryRun.Run(Machine(host).With(Mmfr1, 3), host, new PlanOptions(), scratch);
        Assert.DoesNotContain(scratch.Target!.Executed, s => s is WriteRegister { Id: var id } && id == Mmfr1);
        Assert.NotEmpty(scratch.Target.Executed);
        Assert.Equal((Verdict.No, Evidence.Measured), (report.Verdict, report.Evidence));
    }

    [Theory]
    [InlineData(FindingCode.ValueRefused)]
    [InlineData(FindingCode.SilentlyChanged)]
    public void What_the_host_really_answered_is_never_accepted_away(FindingCode accepted)
    {
        var liar = accepted == FindingCode.ValueRefused ? Host(Fields(Mmfr1, 0)) : Host(Any(Mmfr1) with { Stored = StoredAs.Always(5) });
        var report = Try(Machine(Host()).With(Mmfr1, 1), Host(Any(Mmfr1)), liar, new PlanOptions { Accept = new HashSet<FindingCode> { accepted } });
        Assert.Equal((Verdict.No, accepted), (report.Verdict, Assert.Single(report.Findings, f => f.Stops).Code));
    }

    [Fact]
    public void A_register_that_nobody_had_measured_is_proven_by_trying_it()
    {
        var host = Host(Any(Vbar) with { Accepts = Acceptance.Unproven });
        Assert.Equal(Verdict.Unproven, Plan(Machine(host), host).Verdict);
        var report = Try(Machine(host), host, Host());
        Assert.Equal((Verdict.Yes, Evidence.Tried), (report.Verdict, report.Evidence));
        Assert.DoesNotContain(report.Findings, f => f.Code == FindingCode.Unproven);
        Assert.Equal(Verdict.No, Try(Machine(host).With(Vbar, 1), host, Host(Exactly(Vbar, 0, 0))).Verdict);
    }

    [Fact]
    public void A_left_out_register_is_proven_by_reading_that_the_host_has_none()
    {
        var host = Host().Assumed();
        var state = Machine(Host(Bits(Bitmap2, 3))).With(Bitmap2, 0);
        Assert.Equal(Evidence.Tried, Assert.Single(Try(state, host, host).Findings, f => f.Code == FindingCode.LeftOut).Evidence);
        var other = Try(state, host, Host(Bits(Bitmap2, 3)));
        Assert.Equal(Evidence.Assumed, Assert.Single(other.Findings, f => f.Code == FindingCode.LeftOut).Evidence);
        Assert.Equal(Verdict.Unproven, other.Verdict);
    }

    [Theory]
    [InlineData(Evidence.Assumed, Verdict.Unproven)]
    [InlineData(Evidence.Measured, Verdict.Yes)]
    public void What_needs_the_guests_memory_keeps_the_evidence_it_had(Evidence evidence, Verdict verdict)
    {
        var host = evidence == Evidence.Assumed ? Host().Assumed() : Host();
        var state = Machine(host) with { Devices = [new DeviceState("its", [new DeviceAttribute(4, 2, new RegisterValue(0))])] };
        var report = Try(state, host, host);
        Assert.Equal((verdict, evidence), (report.Verdict, report.Evidence));
        var untried = Assert.Single(report.Trial!.Untried);
        Assert.Equal("its restore tables", untried.What);
        Assert.IsType<WriteDevice>(Plan(state, host).Steps[untried.Step]);
    }

    [Fact]
    public void Without_a_vm_there_is_one_finding_and_nothing_else_was_tried()
    {
        var host = new FakeScratchHost(Host()) { Refuse = s => s is CreateVm ? 22 : 0 };
        var report = DryRun.Run(Machine(), Host(), new PlanOptions(), host);
        var finding = Assert.Single(report.Findings, f => f.Stops);
        Assert.Equal((FindingCode.IpaSize, "EINVAL"), (finding.Code, finding.Answer));
        Assert.Equal(report.Trial!.Executed - 1, report.Trial.Untried.Count);
        Assert.Empty(report.Trial.Differences);
    }

    [Fact]
    public void Without_one_of_its_vcpus_nothing_is_said_about_that_vcpu_and_all_about_the_other()
    {
        var liar = new FakeScratchHost(HostWithout(Vbar)) { Refuse = s => s is CreateVcpu { Vcpu: 1 } ? 22 : 0 };
        var report = DryRun.Run(Machine(vcpus: 2), Host(), new PlanOptions(), liar);
        Assert.Equal([FindingCode.RegisterUnknown, FindingCode.VcpuFeatures], report.Findings.Where(f => f.Stops).Select(f => f.Code).Order());
        Assert.Equal([0], report.Findings.Single(f => f.Register == Vbar).Vcpus);
        Assert.All(report.Trial!.Untried, u => Assert.Contains("vCPU 1", u.Why));
        Assert.NotEmpty(report.Trial.Untried);
    }

    [Fact]
    public void A_step_without_a_name_of_its_own_is_refused_by_what_it_does()
    {
        var liar = new FakeScratchHost(Host()) { Refuse = s => s is SetMpState { Vcpu: 1 } ? 22 : 0 };
        var finding = Assert.Single(DryRun.Run(Machine(vcpus: 2), Host(), new PlanOptions(), liar).Findings, f => f.Stops);
        Assert.Equal((FindingCode.StepRefused, "power state", "Stopped", "EINVAL"), (finding.Code, finding.Subject, finding.Here, finding.Answer));
    }

    [Theory]
    [InlineData(12)]
    [InlineData(24)]
    public void A_host_without_room_says_nothing_about_the_machine(int errno)
    {
        var scratch = new FakeScratchHost(Host()) { Refuse = s => s is CreateVcpu ? errno : 0 };
        var error = Assert.Throws<MigrateException>(() => DryRun.Run(Machine(), Host(), new PlanOptions(), scratch));
        Assert.Equal((ErrorCode.System, true), (error.Code, error.IsTransient));
        Assert.True(scratch.Target!.IsDisposed);
    }

    public static TheoryData<string, Func<MachineState, MachineState>> Hostile => new()
    {
        { "513 vCPUs", s => s with { Vcpus = Enumerable.Range(0, 513).Select(i => s.Vcpus[0] with { Index = i }).ToEquatableArray() } },
        { "513 memory slots", s => s.WithVm(v => v with { Memory = Enumerable.Range(0, 513).Select(i => new MemorySlot(i, (ulong)i << 20, 4096)).ToEquatableArray() }) },
        { "16 TiB", s => s.WithVm(v => v with { Memory = [new MemorySlot(0, 0, DryRun.LargestMemory), new MemorySlot(1, DryRun.LargestMemory, 4096)] }) },
        { "16 TiB", s => s.WithVm(v => v with { Memory = [new MemorySlot(0, 0, ulong.MaxValue), new MemorySlot(1, 0, ulong.MaxValue)] }) },
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    public void A_machine_beyond_all_bounds_is_refused_before_anything_is_created(string named, Func<MachineState, MachineState> change)
    {
        var scratch = new FakeScratchHost(Host());
        var error = Assert.Throws<MigrateException>(() => DryRun.Run(change(Machine()), Host(), new PlanOptions(), scratch));
        Assert.Equal(ErrorCode.TooLarge, error.Code);
        Assert.Contains(named, error.Message);
        Assert.Null(scratch.Target);
    }

    [Fact]
    public void Several_at_once_give_the_reports_that_each_gives_alone()
    {
        var (state, liar) = (Machine(vcpus: 4).With(Mmfr1, 1UL << 60), Host(Fields(Mmfr1, 0)));
        var alone = Try(state, Host(Any(Mmfr1)), liar);
        var reports = new CheckReport[64];
        Parallel.For(0, reports.Length, i => reports[i] = Try(state, Host(Any(Mmfr1)), liar));
        Assert.All(reports, report => Assert.Equal(alone, report));
    }

    [Fact]
    public void A_machine_at_the_bounds_is_tried()
    {
        var state = Machine().WithVm(v => v with { Memory = [new MemorySlot(0, 0, DryRun.LargestMemory)], Type = new VmType(48) });
        Assert.NotNull(Try(state, Host(), Host()).Trial);
    }

    private static CheckReport Try(MachineState state, HostProfile profile, HostProfile host, PlanOptions? options = null) =>
        DryRun.Run(state, profile, options ?? new PlanOptions(), new FakeScratchHost(host));
}

/// <summary>A host that answers as one profile says, whatever another one promised, and refuses what it is told to.</summary>
internal sealed class FakeScratchHost(HostProfile host) : IScratchHost
{
    public Func<RestoreStep, int> Refuse { get; init; } = _ => 0;

    public FakeScratch? Target { get; private set; }

    public IScratchTarget NewScratch() => Target = new FakeScratch(new ProfileTarget(host.Shapes[0]), Refuse);
}

/// <summary>What an ITS is restored from is not there.</summary>
internal sealed class FakeScratch(ProfileTarget inner, Func<RestoreStep, int> refuse) : IScratchTarget
{
    private bool _hasVm;
    private readonly HashSet<int> _vcpus = [];

    public List<RestoreStep> Executed { get; } = [];

    public bool IsDisposed { get; private set; }

    public IReadOnlyList<UntriedPart> Untried =>
        [.. Executed.OfType<WriteDevice>().Where(w => w.Device.Kind == "its").Select(w => new UntriedPart(w, "its restore tables", "needs the guest's memory"))];

    public IReadOnlyList<StepAnswer> Execute(IReadOnlyList<RestoreStep> steps) => [.. steps.Select(Execute)];

    public IReadOnlyList<ReadAnswer> Read(IReadOnlyList<RegisterAddress> registers) =>
        [.. registers.Select(r => _vcpus.Contains(r.Vcpu) ? inner.Read([r])[0] : new ReadAnswer(8, null))];

    public void Dispose() => IsDisposed = true;

    private StepAnswer Execute(RestoreStep step)
    {
        Executed.Add(step);
        if (refuse(step) is var errno and not 0) return new StepAnswer(errno);
        if (step is CreateVm) _hasVm = true;
        if (!_hasVm) return new StepAnswer(22, "there is no VM yet");
        if (step is CreateVcpu created) _vcpus.Add(created.Vcpu);
        var vcpu = step switch { WriteRegister s => s.Vcpu, SetMpState s => s.Vcpu, _ => (int?)null };
        if (vcpu is { } own && !_vcpus.Contains(own)) return new StepAnswer(8, $"there is no vCPU {own}");
        return inner.Execute([step])[0];
    }
}
