using Migrate.Model;
using Migrate.Model.Errors;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Ports;
using Migrate.Simulation.Hosts;
using Migrate.Tests.Simulation;
using Migrate.Transfer.Agent;
using Migrate.Transfer.Handover;
using Migrate.Transfer.Send;
using Migrate.Transfer.Wire;

namespace Migrate.Tests.Transfer.Handover;

/// <summary>Dry runs through an agent: the question, its bounds, and what else the agent goes on doing.</summary>
public sealed class DryRunTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly MoveHarness _harness = new();
    private readonly List<RestoreAgent> _agents = [];

    public void Dispose()
    {
        foreach (var agent in _agents) agent.Dispose();
        _harness.Dispose();
    }

    [Fact]
    public void An_agent_tries_a_machine_that_runs_on_and_tells_every_step()
    {
        var scratch = new CountingHost(new SimulatedHost(_harness.Profile));
        var report = Try(Start(scratch), _harness.Machine.Describe(), includePlan: true);
        Assert.Equal((Verdict.Yes, Evidence.Tried), (report.Verdict, report.Evidence));
        Assert.Equal(report.Plan!.Steps.Count(s => s is not LeaveOut), report.Trial!.Executed);
        Assert.Equal((1, 1), (scratch.Made, scratch.Closed));
        Assert.True(_harness.Machine.IsRunning);
    }

    [Fact]
    public void An_agent_whose_host_answers_otherwise_than_its_profile_says_so()
    {
        var report = Try(Start(new SimulatedHost(_harness.Profile.Without(SimulatedProfiles.TpidrEl0))), _harness.Machine.Describe());
        // One a vCPU: each has a value of its own.
        var findings = report.Findings.Where(f => f.Stops).ToList();
        Assert.Equal(report.Trial!.Failed.Count, findings.Count);
        Assert.All(findings, f => Assert.Equal(("TPIDR_EL0", "ENOENT", "taken", Evidence.Tried), (f.Subject, f.Answer, f.Predicted, f.Evidence)));
        Assert.Equal(Verdict.No, report.Verdict);
    }

    [Fact]
    public void An_agent_without_scratch_vms_refuses_and_still_checks()
    {
        var agent = Start(null);
        Assert.Equal(ErrorCode.Unsupported, Assert.Throws<PeerErrorException>(() => Try(agent, _harness.Machine.Describe())).Code);
        Assert.Equal(Verdict.Yes, Client(agent).Check(_harness.Machine.Describe(), Policy.Vmmigrate, [], false, false).Verdict);
    }

    [Fact]
    public async Task More_dry_runs_than_allowed_are_refused_while_questions_are_answered()
    {
        using var held = new ManualResetEventSlim();
        using var entered = new ManualResetEventSlim();
        var agent = Start(new CountingHost(new SimulatedHost(_harness.Profile)) { WhenMade = () => { entered.Set(); held.Wait(Patience); } }, maxDryRuns: 1);
        var report = _harness.Machine.Describe();
        var first = Task.Run(() => Try(agent, report), TestContext.Current.CancellationToken);
        Assert.True(entered.Wait(Patience, TestContext.Current.CancellationToken));
        var busy = Assert.Throws<PeerErrorException>(() => Try(agent, report));
        Assert.Equal((ErrorCode.Busy, true), (busy.Code, busy.IsTransient));
        Assert.Empty(Client(agent).Status().Moves);
        held.Set();
        Assert.Equal(Verdict.Yes, (await first).Verdict);
        Assert.Equal(Verdict.Yes, Try(agent, report).Verdict);
    }

    public static TheoryData<string, Func<MachineState, MachineState>> Hostile => new()
    {
        { "16 TiB", s => s with { Vm = s.Vm with { Memory = [new MemorySlot(0, 0, 1UL << 55)] } } },
        { "16 TiB", s => s with { Vm = s.Vm with { Memory = Enumerable.Range(0, 512).Select(i => new MemorySlot(i, (ulong)i << 45, 1UL << 45)).ToEquatableArray() } } },
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    public void A_machine_beyond_all_bounds_creates_nothing(string named, Func<MachineState, MachineState> change)
    {
        var scratch = new CountingHost(new SimulatedHost(_harness.Profile));
        var report = _harness.Machine.Describe();
        var refused = Assert.Throws<PeerErrorException>(() => Try(Start(scratch), report with { State = change(report.State) }));
        Assert.Equal(ErrorCode.TooLarge, refused.Code);
        Assert.Contains(named, refused.Message);
        Assert.Equal(0, scratch.Made);
    }

    [Fact]
    public void A_machine_with_more_vcpus_or_slots_than_a_document_may_have_is_refused_as_it_is_read()
    {
        var scratch = new CountingHost(new SimulatedHost(_harness.Profile));
        var agent = Start(scratch);
        var report = _harness.Machine.Describe();
        var vcpus = report.State with
        {
            Vm = report.State.Vm with { VcpuCount = 513 },
            Vcpus = Enumerable.Range(0, 513).Select(i => report.State.Vcpus[0] with { Index = i, Registers = new RegisterSet([]) }).ToEquatableArray(),
        };
        var slots = report.State with { Vm = report.State.Vm with { Memory = Enumerable.Range(0, 513).Select(i => new MemorySlot(i, (ulong)i << 20, 4096)).ToEquatableArray() } };
        foreach (var state in new[] { vcpus, slots }) Assert.ThrowsAny<MigrateException>(() => Try(agent, report with { State = state }));
        Assert.Equal(0, scratch.Made);
        Assert.Equal(Verdict.Yes, Try(agent, report).Verdict);
    }

    [Fact]
    public void A_dry_run_that_breaks_costs_its_connection_and_nothing_else()
    {
        var broken = new CountingHost(new SimulatedHost(_harness.Profile)) { WhenMade = () => throw new InvalidOperationException("broken") };
        var agent = Start(broken, maxDryRuns: 1);
        for (var i = 0; i < 3; i++)
            Assert.Equal(ErrorCode.System, Assert.Throws<PeerErrorException>(() => Try(agent, _harness.Machine.Describe())).Code);
        Assert.Equal(_harness.Profile, Client(agent).Profile());
    }

    [Fact]
    public void Without_a_vmm_a_move_is_refused_by_name_and_the_source_runs_on()
    {
        var state = new StateDirectory(_harness.PathOf("judging-agent"));
        using var agent = new RestoreAgent(new AgentOptions(), state, _harness, new NoIncoming("use --attach"), new SimulatedHost(_harness.Profile));
        var refused = Assert.Throws<RefusedException>(() => Sender.Send(_harness.Options with { Port = agent.EndPoint.Port }, null, TestContext.Current.CancellationToken));
        Assert.Contains(_harness.Machine.Describe().State.Vm.Name, refused.Message);
        Assert.Contains("no VMM", refused.Message);
        Assert.Equal(ErrorCode.Refused, refused.Code);
        Assert.True(_harness.Machine.IsRunning);
    }

    private RestoreAgent Start(IScratchHost? scratch, int maxDryRuns = 2)
    {
        var state = new StateDirectory(_harness.PathOf($"trying-agent-{_agents.Count}"));
        _agents.Add(new RestoreAgent(new AgentOptions { MaxDryRuns = maxDryRuns }, state, _harness, new NoIncoming(""), scratch));
        return _agents[^1];
    }

    private static AgentClient Client(RestoreAgent agent) => new("127.0.0.1", agent.EndPoint.Port);

    private static CheckReport Try(RestoreAgent agent, MachineReport machine, bool includePlan = false) =>
        Client(agent).DryRun(machine, Policy.Vmmigrate, [], acceptAssumed: false, includePlan, Patience);

    private sealed class CountingHost(IScratchHost inner) : IScratchHost
    {
        private int _made;
        private int _closed;

        public Action WhenMade { get; init; } = () => { };

        public int Made => _made;

        public int Closed => _closed;

        public IScratchTarget NewScratch()
        {
            Interlocked.Increment(ref _made);
            WhenMade();
            return new Target(this, inner.NewScratch());
        }

        private sealed class Target(CountingHost host, IScratchTarget inner) : IScratchTarget
        {
            public IReadOnlyList<UntriedPart> Untried => inner.Untried;

            public IReadOnlyList<StepAnswer> Execute(IReadOnlyList<RestoreStep> steps) => inner.Execute(steps);

            public IReadOnlyList<ReadAnswer> Read(IReadOnlyList<RegisterAddress> registers) => inner.Read(registers);

            public void Dispose()
            {
                Interlocked.Increment(ref host._closed);
                inner.Dispose();
            }
        }
    }
}
