using Migrate.Model.Errors;
using Migrate.Model.Ports;
using Migrate.Transfer.Agent;
using Migrate.Transfer.Handover;
using Migrate.Transfer.Machines;
using Migrate.Transfer.Receive;
using Migrate.Transfer.Send;
using Migrate.Transfer.Wire;

namespace Migrate.Tests.Transfer.Handover;

/// <summary>What happens after the release when the connection, a process or a record is not there.</summary>
public class OutcomeTests
{
    private static readonly string Id = new('1', 32);
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(300);

    [Theory]
    [InlineData("source:releasing")]
    [InlineData("source:released")]
    public void A_connection_lost_before_start_arrives_brings_the_machine_back_to_the_source(string point)
    {
        using var harness = new MoveHarness();
        harness.At[point] = harness.Relay.Cut;
        var failed = Assert.Throws<MigrateException>(() => harness.Send());
        Assert.Equal((ErrorCode.PeerLost, true), (failed.Code, failed.SourceRuns));
        RunsHere(harness);
    }

    [Theory]
    [InlineData("destination:starting:before-record")]
    [InlineData("destination:starting")]
    [InlineData("destination:running:after-record")]
    public void A_connection_lost_after_start_arrived_ends_with_the_machine_at_the_destination(string point)
    {
        using var harness = new MoveHarness();
        harness.At[point] = harness.Relay.Cut;
        var events = new List<SendEvent>();
        harness.Send(progress: events.Add);
        Assert.Contains(events, e => e is AskingEvent);
        RunsThere(harness);
    }

    [Fact]
    public void An_agent_that_stays_away_after_the_release_makes_the_outcome_unknown_and_the_machine_waits()
    {
        using var harness = new MoveHarness();
        harness.At["source:released"] = () => Vanish(harness);
        var unknown = Assert.Throws<MigrateException>(() => harness.Send(o => o with { OutcomeTimeout = Moment }));
        var id = harness.SourceRecord.Id;
        Assert.Equal((ErrorCode.OutcomeUnknown, null), (unknown.Code, unknown.SourceRuns));
        Assert.Contains($"vmmigrate resolve {id}", unknown.Remedy);
        Assert.Equal((LifecycleState.Released, id), (harness.SourceVmm.Status.State, harness.SourceVmm.Status.HandoverId));
        Assert.False(harness.Machine.IsRunning);

        // Still away: still unknown. Back again: never, so the machine runs here.
        Assert.Equal(ErrorCode.OutcomeUnknown, Assert.Throws<MigrateException>(() => Resolve(harness)).Code);
        harness.Relay.IsDown = false;
        Assert.Equal((SourceState.Kept, ""), (Resolve(harness) is var done ? done.State : default, done.Overrode));
        RunsHere(harness);
        Assert.Equal(SourceState.Kept, Resolve(harness).State);
    }

    [Fact]
    public void The_operators_word_runs_the_machine_here_when_nothing_can_be_proven_and_says_what_it_overrode()
    {
        using var harness = new MoveHarness();
        harness.At["source:released"] = () => Vanish(harness);
        Assert.Throws<MigrateException>(() => harness.Send(o => o with { OutcomeTimeout = Moment }));
        var resolution = Resolve(harness, OperatorsWord.RunHere);
        Assert.Equal(SourceState.Kept, resolution.State);
        Assert.Contains("cannot be proven", resolution.Overrode);
        Assert.True(harness.Machine.IsRunning);
    }

    [Fact]
    public void The_operators_word_discards_the_machine_when_nothing_can_be_proven()
    {
        using var harness = new MoveHarness();
        harness.At["source:released"] = () => Vanish(harness);
        Assert.Throws<MigrateException>(() => harness.Send(o => o with { OutcomeTimeout = Moment }));
        Assert.Equal(SourceState.Discarded, Resolve(harness, OperatorsWord.Discard).State);
        Assert.Equal((LifecycleState.Destroyed, SourceMark.Discarded), (harness.SourceVmm.Status.State, harness.SourceRecord.Mark));
        Assert.Equal(SourceState.Discarded, Resolve(harness).State);
    }

    [Fact]
    public void The_operators_word_does_not_override_what_can_be_proven()
    {
        using var harness = new MoveHarness();
        harness.At["destination:starting"] = () => Vanish(harness);
        Assert.Throws<MigrateException>(() => harness.Send(o => o with { OutcomeTimeout = Moment }));
        harness.Relay.IsDown = false;
        var resolution = Resolve(harness, OperatorsWord.RunHere);
        Assert.Equal((SourceState.Done, ""), (resolution.State, resolution.Overrode));
        RunsThere(harness);
    }

    [Theory]
    [InlineData(SourceMark.Begun, SourceState.Kept)]
    [InlineData(SourceMark.Releasing, SourceState.Kept)]
    [InlineData(SourceMark.Kept, SourceState.Kept)]
    [InlineData(SourceMark.Done, SourceState.Done)]
    public void A_sender_that_died_before_the_release_is_resolved_with_the_source_running(SourceMark mark, SourceState end)
    {
        using var harness = new MoveHarness();
        Write(harness, mark);
        Assert.Equal(end, Resolve(harness).State);
        Assert.True(harness.Machine.IsRunning);
        Assert.Equal(mark is SourceMark.Begun or SourceMark.Releasing ? [Id] : [], harness.AgentState.Destination.Ids());
    }

    [Theory]
    [InlineData(SourceMark.Begun)]
    [InlineData(SourceMark.Releasing)]
    public void A_sender_that_died_after_the_release_is_resolved_by_the_agents_answer(SourceMark mark)
    {
        using var harness = new MoveHarness();
        Write(harness, mark);
        Release(harness);
        Assert.Equal(SourceState.Kept, Resolve(harness).State);
        RunsHere(harness);
    }

    [Fact]
    public void A_sender_that_died_once_it_ran_there_leaves_a_copy_that_is_destroyed()
    {
        using var harness = new MoveHarness();
        Write(harness, SourceMark.RunningThere);
        Release(harness);
        Assert.Equal(SourceState.Done, Resolve(harness).State);
        Assert.Equal((LifecycleState.Destroyed, SourceMark.Done), (harness.SourceVmm.Status.State, harness.SourceRecord.Mark));
    }

    [Fact]
    public void A_vmm_that_is_gone_and_an_agent_that_never_started_it_is_unknown_and_said_so()
    {
        using var harness = new MoveHarness();
        Write(harness, SourceMark.Releasing);
        harness.SourceVmm.Dispose();
        var unknown = Assert.Throws<MigrateException>(() => Resolve(harness));
        Assert.Equal(ErrorCode.OutcomeUnknown, unknown.Code);
        Assert.Contains("gone", unknown.Message);
    }

    /// <summary>After a restart of the host another VMM may have the socket and the process number, as in a container it always has.</summary>
    [Fact]
    public void Another_vm_behind_the_same_socket_and_pid_is_not_the_one_that_was_moved()
    {
        using var harness = new MoveHarness();
        Write(harness, SourceMark.Releasing);
        harness.SourceState.Source.Write(harness.SourceRecord with { VmId = new string('a', 32) });
        Assert.Equal(ErrorCode.OutcomeUnknown, Assert.Throws<MigrateException>(() => Resolve(harness)).Code);
        Assert.NotEqual(SourceMark.Kept, harness.SourceRecord.Mark);
    }

    [Fact]
    public void A_machine_that_a_session_holds_is_not_resolved_meanwhile()
    {
        using var harness = new MoveHarness();
        Write(harness, SourceMark.Releasing);
        using var client = MachineClient.Connect(harness.SourceVmm.Path);
        using var session = client.OpenSource();
        var busy = Assert.Throws<MigrateException>(() => Resolver.Resolve(harness.SourceState, Id, OperatorsWord.RunHere, Moment));
        Assert.Equal(ErrorCode.Busy, busy.Code);
        Assert.Empty(harness.AgentState.Destination.Ids());
    }

    [Fact]
    public void A_handover_that_nobody_began_is_not_resolved()
    {
        using var harness = new MoveHarness();
        Assert.Equal(ErrorCode.NotFound, Assert.Throws<MigrateException>(() => Resolver.Resolve(harness.SourceState, Id, OperatorsWord.None, Moment)).Code);
        Assert.Equal(ErrorCode.Malformed, Assert.Throws<MigrateException>(() => Resolver.Resolve(harness.SourceState, "../x", OperatorsWord.None, Moment)).Code);
    }

    [Fact]
    public void A_question_for_another_agent_is_refused_and_nothing_is_recorded()
    {
        using var harness = new MoveHarness();
        var failed = Assert.ThrowsAny<MigrateException>(() => Client(harness).Outcome(Id, new string('f', 32)));
        Assert.Equal(ErrorCode.Denied, failed.Code);
        Assert.Empty(harness.AgentState.Destination.Ids());
    }

    [Fact]
    public void Never_is_recorded_before_it_is_said_and_a_later_session_of_that_id_is_refused()
    {
        using var harness = new MoveHarness();
        Assert.Equal(Outcome.Never, Client(harness).Outcome(Id, harness.Agent.AgentId));
        Assert.Equal(DestinationMark.Never, harness.DestinationRecord.Mark);
        harness.RestartAgent();
        Assert.Equal(Outcome.Never, Client(harness).Outcome(Id, harness.Agent.AgentId));

        using var channel = AgentClient.Connect("127.0.0.1", harness.Agent.EndPoint.Port, TimeSpan.FromSeconds(10));
        channel.Send(FrameKind.Hello, TransferMessages.Hello, new Hello(Id));
        var refused = Assert.Throws<PeerErrorException>(() => channel.Expect(FrameKind.Welcome, TransferMessages.Welcome));
        Assert.Equal(ErrorCode.WrongState, refused.Code);
        Assert.Contains("already known", refused.Message);
    }

    [Fact]
    public void A_question_ends_a_session_that_has_not_received_start()
    {
        using var harness = new MoveHarness();
        var answers = new List<Outcome>();
        harness.At["source:awaiting-applied"] = () =>
        {
            while (answers.Count == 0 || answers[^1] == Outcome.Pending) answers.Add(Client(harness).Outcome(harness.SourceRecord.Id, harness.Agent.AgentId));
        };
        var failed = Assert.Throws<MigrateException>(() => harness.Send());
        Assert.Equal((Outcome.Never, ErrorCode.PeerLost), (answers[^1], failed.Code));
        RunsHere(harness);
    }

    [Fact]
    public void A_restarted_agent_knows_that_a_machine_runs_whose_start_it_did_not_live_to_record()
    {
        using var harness = new MoveHarness();
        harness.Send();
        var record = harness.DestinationRecord;
        harness.AgentState.Destination.Write(record with { Mark = DestinationMark.Starting });
        harness.RestartAgent();
        Assert.Equal(Outcome.Running, Client(harness).Outcome(record.Id, harness.Agent.AgentId));
        Assert.Equal(DestinationMark.Running, harness.DestinationRecord.Mark);
    }

    [Fact]
    public void A_restarted_agent_knows_that_a_machine_was_thrown_away_unstarted()
    {
        using var harness = new MoveHarness();
        WriteStarting(harness, harness.IncomingVmm.Status.Pid);
        Assert.Equal(Outcome.Never, Client(harness).Outcome(Id, harness.Agent.AgentId));
        Assert.Equal(DestinationMark.Never, harness.DestinationRecord.Mark);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_agent_whose_vmm_is_gone_or_another_one_cannot_tell(bool another)
    {
        using var harness = new MoveHarness();
        WriteStarting(harness, another ? harness.IncomingVmm.Status.Pid + 1 : harness.IncomingVmm.Status.Pid);
        if (!another) harness.IncomingVmm.Dispose();
        Assert.Equal(Outcome.Unknown, Client(harness).Outcome(Id, harness.Agent.AgentId));
        Assert.Equal(DestinationMark.Starting, harness.DestinationRecord.Mark);
    }

    [Fact]
    public void A_machine_that_the_destination_cannot_start_comes_back()
    {
        using var harness = new MoveHarness(wrap: incoming => new NeverStarts(incoming));
        var failed = Assert.ThrowsAny<MigrateException>(() => harness.Send());
        Assert.True(failed.SourceRuns);
        RunsHere(harness);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void On_the_agents_host_a_handover_is_finished_with_the_agent_or_in_its_place(bool agentRuns)
    {
        using var harness = new MoveHarness();
        if (!agentRuns) harness.Agent.Dispose();
        Assert.Equal(ErrorCode.NotFound, Assert.Throws<MigrateException>(() => DestinationResolver.Resolve(harness.AgentState, Id)).Code);
        Assert.Empty(harness.AgentState.Destination.Ids());
        WriteStarting(harness, harness.IncomingVmm.Status.Pid);
        var resolution = DestinationResolver.Resolve(harness.AgentState, Id);
        Assert.Equal((Outcome.Never, DestinationMark.Never), (resolution.Outcome, resolution.Record.Mark));
    }

    [Fact]
    public void A_sender_that_lives_is_not_overridden_by_the_operators_word()
    {
        using var harness = new MoveHarness();
        var busy = default(ErrorCode);
        harness.At["source:released"] = () =>
        {
            Vanish(harness);
            busy = Assert.Throws<MigrateException>(() => Resolver.Resolve(harness.SourceState, harness.SourceRecord.Id, OperatorsWord.RunHere, Moment)).Code;
            harness.Relay.IsDown = false;
        };
        Assert.Throws<MigrateException>(() => harness.Send());
        Assert.Equal(ErrorCode.Busy, busy);
        RunsHere(harness);
    }

    private static void Vanish(MoveHarness harness)
    {
        harness.Relay.IsDown = true;
        harness.Relay.Cut();
    }

    private static AgentClient Client(MoveHarness harness) => new("127.0.0.1", harness.Agent.EndPoint.Port);

    private static Resolution Resolve(MoveHarness harness, OperatorsWord word = OperatorsWord.None) =>
        Resolver.Resolve(harness.SourceState, harness.SourceRecord.Id, word, harness.Relay.IsDown ? Moment : TimeSpan.FromSeconds(20));

    private static void Write(MoveHarness harness, SourceMark mark) => harness.SourceState.Source.Write(new HandoverRecord<SourceMark>
    {
        Id = Id,
        Mark = mark,
        VmName = "simulated",
        VmId = harness.SourceVmm.Status.VmId,
        MachineSocket = harness.SourceVmm.Path,
        MachinePid = Environment.ProcessId,
        AgentAddress = $"127.0.0.1:{harness.Relay.Port}",
        AgentId = harness.Agent.AgentId,
        Time = "",
    });

    private static void WriteStarting(MoveHarness harness, int pid) => harness.AgentState.Destination.Write(new HandoverRecord<DestinationMark>
    {
        Id = Id,
        Mark = DestinationMark.Starting,
        MachineSocket = harness.IncomingVmm.Path,
        MachinePid = pid,
        AgentId = harness.Agent.AgentId,
        Time = "",
    });

    private static void Release(MoveHarness harness)
    {
        using var client = MachineClient.Connect(harness.SourceVmm.Path);
        using var session = client.OpenSource();
        session.Quiesce();
        session.Release(Id);
    }

    private static void RunsHere(MoveHarness harness)
    {
        Assert.Equal(LifecycleState.Running, harness.SourceVmm.Status.State);
        Assert.True(harness.Machine.IsRunning);
        Assert.NotEqual(true, harness.Incoming?.Completed?.IsRunning);
        Assert.Equal((SourceMark.Kept, DestinationMark.Never), (harness.SourceRecord.Mark, harness.DestinationRecord.Mark));
    }

    private static void RunsThere(MoveHarness harness)
    {
        Assert.True(harness.Incoming!.Completed!.IsRunning);
        Assert.False(harness.Machine.IsRunning);
        Assert.Equal(LifecycleState.Destroyed, harness.SourceVmm.Status.State);
        Assert.Equal((SourceMark.Done, DestinationMark.Running), (harness.SourceRecord.Mark, harness.DestinationRecord.Mark));
    }

    /// <summary>Everything is applied, and then the machine cannot be made.</summary>
    private sealed class NeverStarts(IIncomingMachine inner) : IIncomingMachine
    {
        public IReadOnlyList<GuestMemory> Memory => inner.Memory;

        public IReadOnlyList<StepAnswer> Execute(IReadOnlyList<Migrate.Model.Plans.RestoreStep> steps) => inner.Execute(steps);

        public IReadOnlyList<ReadAnswer> Read(IReadOnlyList<RegisterAddress> registers) => inner.Read(registers);

        public IMachine Complete(Migrate.Model.Machines.VmDescription description) => throw new MigrateException(ErrorCode.StepFailed, "out of everything");

        public void Dispose() => inner.Dispose();
    }
}
