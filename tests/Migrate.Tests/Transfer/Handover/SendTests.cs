using Migrate.Model.Encoding;
using Migrate.Model.Errors;
using Migrate.Simulation.Machines;
using Migrate.Tests.Simulation;
using Migrate.Transfer.Handover;
using Migrate.Transfer.Machines;
using Migrate.Transfer.Receive;
using Migrate.Transfer.Send;

namespace Migrate.Tests.Transfer.Handover;

/// <summary>Whole moves over loopback, sender and agent in this process.</summary>
public class SendTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 2)]
    public void A_machine_that_moves_under_load_ends_as_one_that_never_moved(bool verify, int slots)
    {
        var options = new MachineOptions
        {
            Id = new string('a', 32),
            MemoryBytes = 16 << 20,
            Slots = slots,
            WritesPerSecond = 20_000,
            Steps = 12_000,
            HotPages = 0.5,
            Seed = 7,
        };
        using var twin = SimulatedMachine.Create(SimulatedProfiles.Plain, options);
        twin.FullSpeed = true;
        twin.Resume();
        Assert.True(twin.WaitUntilHalted(Patience));
        twin.Quiesce();

        using var harness = new MoveHarness(options);
        var events = new List<SendEvent>();
        var report = harness.Send(o => o with { Verify = verify }, events.Add);

        var moved = Assert.IsType<SimulatedMachine>(harness.Incoming!.Completed);
        Assert.False(harness.Machine.IsRunning);
        Assert.True(moved.WaitUntilHalted(Patience));
        moved.Quiesce();
        Assert.Equal(Migrate.Simulation.Verification.FinalState.Digest(twin), Migrate.Simulation.Verification.FinalState.Digest(moved));

        Assert.Equal(verify, report.Verified);
        Assert.True(report is { Rounds: >= 2, Pages: > 0, Bytes: > 0, ZeroPages: > 0, Throughput: > 0, Downtime.Total: > 0 }, report.ToString());
        Assert.Equal((SourceMark.Done, DestinationMark.Running), (harness.SourceRecord.Mark, harness.DestinationRecord.Mark));
        Assert.Equal(LifecycleState.Destroyed, harness.SourceVmm.Status.State);
        Assert.Equal(report.HandoverId, harness.IncomingVmm.Status.HandoverId);
        Assert.Equal(
            [typeof(ConnectedEvent), typeof(VerdictEvent), typeof(RoundEvent), typeof(StoppedEvent), typeof(AppliedEvent), typeof(ReleasedEvent), typeof(RunningEvent), typeof(DoneEvent)],
            events.Select(e => e.GetType()).Where(t => t != typeof(ThrottleEvent) && t != typeof(ProgressEvent)).Distinct());
        foreach (var one in events)
        {
            var line = JsonEncoding.Encode(SendEvent.Shape, one, indented: false);
            Assert.DoesNotContain('\n', line);
            Assert.Equal(one, JsonEncoding.Decode(SendEvent.Shape, System.Text.Encoding.UTF8.GetBytes(line)));
        }
    }

    [Fact]
    public void A_paused_machine_moves_too()
    {
        using var harness = new MoveHarness(running: false);
        harness.Send();
        Assert.Equal((SourceMark.Done, DestinationMark.Running), (harness.SourceRecord.Mark, harness.DestinationRecord.Mark));
    }

    [Fact]
    public void The_points_of_a_move_are_passed_in_the_order_of_the_tables()
    {
        using var harness = new MoveHarness();
        harness.Send();
        Assert.Empty(harness.Points.Except(HandoverPoints.All));
        Assert.Equal(
            [
                "source:connecting", "source:begun:before-record", "source:begun:after-record", "source:preparing", "source:copying", "source:stopping",
                "source:awaiting-applied", "source:releasing:before-record", "source:releasing:after-record", "source:releasing", "source:released",
                "source:start-sent", "source:running-there:before-record", "source:running-there:after-record", "source:running-there",
                "source:done:before-record", "source:done:after-record", "source:done",
            ],
            harness.Points.Where(p => p.StartsWith("source", StringComparison.Ordinal)));
        Assert.Equal(
            [
                "destination:waiting", "destination:planning", "destination:preparing", "destination:receiving", "destination:applying", "destination:applied",
                "destination:starting:before-record", "destination:starting:after-record", "destination:starting",
                "destination:running:before-record", "destination:running:after-record", "destination:running",
            ],
            harness.Points.Where(p => p.StartsWith("destination", StringComparison.Ordinal)).Distinct());
    }

    [Fact]
    public void A_refusal_costs_no_page_and_leaves_the_source_alone()
    {
        using var harness = new MoveHarness(destination: SimulatedProfiles.Plain with { IpaSizes = [32] });
        var pages = 0UL;
        harness.At["destination:refused"] = () => pages = harness.Agent.Status.Moves.Single().Pages;
        var refused = Assert.Throws<RefusedException>(() => harness.Send());
        Assert.Equal((ErrorCode.Refused, Stage.Plan, true), (refused.Code, refused.Stage, refused.SourceRuns));
        Assert.NotEmpty(refused.Report!.Findings);
        Assert.Equal(0UL, pages);
        Assert.Null(harness.Incoming);
        Assert.Empty(harness.SourceStates);
        Assert.True(harness.Machine.IsRunning);
        Assert.Equal(SourceMark.Kept, harness.SourceRecord.Mark);
        Assert.Empty(harness.AgentState.Destination.Ids());
    }

    [Fact]
    public void A_machine_that_cannot_be_built_there_is_refused_before_its_first_page()
    {
        // The agent believes in a host that answers otherwise: what the plan promises is not what the incoming VMM does.
        using var harness = new MoveHarness(wrap: _ => new SimulatedIncoming(SimulatedProfiles.Plain with { IpaSizes = [32] }));
        var refused = Assert.Throws<RefusedException>(() => harness.Send());
        Assert.Equal((ErrorCode.StepFailed, Stage.Prepare, true), (refused.Code, refused.Stage, refused.SourceRuns));
        Assert.NotEmpty(refused.Run!.Failed);
        Assert.Empty(harness.SourceStates);
        Assert.Equal(DestinationMark.Never, harness.DestinationRecord.Mark);
        Assert.Equal(LifecycleState.Incoming, harness.IncomingVmm.Status.State);
    }

    [Fact]
    public void A_move_that_cannot_converge_in_time_is_given_up_and_the_source_runs()
    {
        using var harness = new MoveHarness(new MachineOptions { MemoryBytes = 8 << 20, WritesPerSecond = 100_000, HotPages = 1 });
        var failed = Assert.Throws<MigrateException>(() => harness.Send(o => o with
        {
            Bandwidth = 20_000_000,
            MaxDowntime = TimeSpan.Zero,
            Timeout = TimeSpan.FromSeconds(1),
            AutoConverge = false,
        }));
        Assert.Equal((ErrorCode.NotConverging, Stage.PreCopy, true), (failed.Code, failed.Stage, failed.SourceRuns));
        SourceGoesOn(harness);
        Assert.DoesNotContain("quiesced", harness.SourceStates);
    }

    [Fact]
    public void A_machine_that_writes_faster_than_can_be_sent_is_slowed_until_it_fits()
    {
        using var harness = new MoveHarness(new MachineOptions { MemoryBytes = 4 << 20, WritesPerSecond = 100_000, HotPages = 1 });
        var throttles = new List<int>();
        var report = harness.Send(
            o => o with { Bandwidth = 40_000_000, MaxDowntime = TimeSpan.FromMilliseconds(20) },
            e => throttles.AddRange(e is ThrottleEvent t ? [t.Percent] : []));
        Assert.NotEmpty(throttles);
        Assert.Equal(throttles[^1], report.Throttle);
        Assert.Equal(((int[])[20, 40, 60, 80, 99])[..throttles.Count], throttles);
        Assert.Equal(DestinationMark.Running, harness.DestinationRecord.Mark);
    }

    [Fact]
    public void A_destination_that_dies_while_pages_are_copied_leaves_the_source_running()
    {
        using var harness = new MoveHarness();
        var failed = Assert.Throws<MigrateException>(() => harness.Send(o => o with { MaxDowntime = TimeSpan.Zero, Bandwidth = 20_000_000 }, e =>
        {
            if (e is RoundEvent) harness.Agent.Dispose();
        }));
        Assert.Equal((ErrorCode.PeerLost, true), (failed.Code, failed.SourceRuns));
        SourceGoesOn(harness);
        Assert.Equal(DestinationMark.Never, harness.DestinationRecord.Mark);
    }

    [Fact]
    public void A_connection_lost_while_the_state_is_applied_leaves_the_source_running()
    {
        using var harness = new MoveHarness();
        harness.At["destination:applying"] = harness.Relay.Cut;
        var failed = Assert.Throws<MigrateException>(() => harness.Send());
        Assert.Equal((ErrorCode.PeerLost, true), (failed.Code, failed.SourceRuns));
        SourceGoesOn(harness);
        Assert.Contains("quiesced", harness.SourceStates);
    }

    [Fact]
    public void An_operator_cancels_while_pages_are_copied_and_the_source_runs()
    {
        using var harness = new MoveHarness();
        using var cancel = new CancellationTokenSource();
        var failed = Assert.Throws<MigrateException>(() => harness.Send(o => o with { MaxDowntime = TimeSpan.Zero, AutoConverge = false }, e =>
        {
            if (e is RoundEvent) cancel.Cancel();
        }, cancel.Token));
        Assert.Equal((ErrorCode.Cancelled, true), (failed.Code, failed.SourceRuns));
        SourceGoesOn(harness);
    }

    [Theory]
    [InlineData("source:preparing")]
    [InlineData("source:awaiting-applied")]
    [InlineData("destination:applied")]
    public void A_cancel_before_the_release_is_recorded_is_heard(string point)
    {
        using var harness = new MoveHarness();
        using var cancel = new CancellationTokenSource();
        harness.At[point] = cancel.Cancel;
        var failed = Assert.Throws<MigrateException>(() => harness.Send(cancelled: cancel.Token));
        Assert.Equal((ErrorCode.Cancelled, true), (failed.Code, failed.SourceRuns));
        SourceGoesOn(harness);
    }

    [Theory]
    [InlineData("source:releasing:before-record")]
    [InlineData("source:released")]
    [InlineData("destination:starting")]
    public void A_cancel_that_is_too_late_does_not_stop_the_handover(string point)
    {
        using var harness = new MoveHarness();
        using var cancel = new CancellationTokenSource();
        harness.At[point] = cancel.Cancel;
        harness.Send(cancelled: cancel.Token);
        Assert.Equal((SourceMark.Done, DestinationMark.Running), (harness.SourceRecord.Mark, harness.DestinationRecord.Mark));
    }

    [Fact]
    public void The_agent_cancels_a_move_by_its_id_and_refuses_to_once_it_started()
    {
        using var harness = new MoveHarness();
        var agent = new AgentClient("127.0.0.1", harness.Agent.EndPoint.Port);
        var id = "";
        Assert.Equal(ErrorCode.PeerLost, Assert.Throws<MigrateException>(() => harness.Send(o => o with { MaxDowntime = TimeSpan.Zero, AutoConverge = false }, e =>
        {
            if (e is ConnectedEvent connected) id = connected.HandoverId;
            if (e is RoundEvent { Round: 1 }) agent.Cancel(id);
        })).Code);
        SourceGoesOn(harness);
        Assert.Equal(DestinationMark.Never, harness.DestinationRecord.Mark);
        Assert.Equal(ErrorCode.NotFound, Assert.ThrowsAny<MigrateException>(() => agent.Cancel(id)).Code);

        var late = default(ErrorCode);
        harness.At["destination:starting"] = () => late = Assert.ThrowsAny<MigrateException>(() => agent.Cancel(harness.Agent.Status.Moves.Single().HandoverId)).Code;
        harness.Send();
        Assert.Equal(ErrorCode.WrongState, late);
    }

    /// <summary>The connection is cut before the record of the start is written, and the machine starts all the same.</summary>
    [Fact]
    public void A_cancel_in_the_moment_of_the_start_does_not_say_that_the_source_goes_on()
    {
        using var harness = new MoveHarness();
        Exception? answer = null;
        Thread? asker = null;
        harness.At["destination:starting:before-record"] = () =>
        {
            var id = harness.Agent.Status.Moves.Single().HandoverId;
            asker = new Thread(() => answer = Record.Exception(() => new AgentClient("127.0.0.1", harness.Agent.EndPoint.Port).Cancel(id)));
            asker.Start();
            // Its answer waits for the end of this; that it was asked is all that can be waited for.
            asker.Join(TimeSpan.FromMilliseconds(300));
        };
        harness.Send();
        asker!.Join();
        var refused = Assert.IsAssignableFrom<MigrateException>(answer);
        Assert.Equal(ErrorCode.WrongState, refused.Code);
        Assert.Equal((SourceMark.Done, DestinationMark.Running), (harness.SourceRecord.Mark, harness.DestinationRecord.Mark));
    }

    [Fact]
    public void A_page_that_arrives_changed_is_found_by_the_digest_before_anything_starts()
    {
        using var harness = new MoveHarness();
        harness.At["destination:applying"] = () => WritesWhenApplied.Spoil(harness.Incoming!);
        var failed = Assert.Throws<MigrateException>(() => harness.Send(o => o with { Verify = true }));
        Assert.Equal((ErrorCode.ReadBackDiffers, true), (failed.Code, failed.SourceRuns));
        Assert.Contains("memory", failed.Message);
        SourceGoesOn(harness);
        Assert.Equal(DestinationMark.Never, harness.DestinationRecord.Mark);
    }

    /// <summary>As KVM does with an LPI that was pending.</summary>
    [Fact]
    public void What_the_apply_phase_writes_into_memory_is_no_difference()
    {
        WritesWhenApplied? incoming = null;
        using var harness = new MoveHarness(wrap: inner => incoming = new WritesWhenApplied(inner));
        Assert.True(harness.Send(o => o with { Verify = true }).Verified);
        Assert.True(incoming!.Wrote);
    }

    [Fact]
    public void A_second_move_of_the_same_machine_is_refused_by_the_holders_name()
    {
        using var harness = new MoveHarness();
        using var client = MachineClient.Connect(harness.SourceVmm.Path);
        using var session = client.OpenSource();
        var failed = Assert.Throws<MigrateException>(() => harness.Send());
        Assert.Equal(ErrorCode.Busy, failed.Code);
        Assert.Contains($"pid {Environment.ProcessId}", failed.Message);
        Assert.True(harness.Machine.IsRunning);
    }

    [Fact]
    public void An_agent_that_cannot_be_reached_begins_nothing()
    {
        using var harness = new MoveHarness();
        harness.Relay.Dispose();
        Assert.Equal(ErrorCode.Unreachable, Assert.Throws<MigrateException>(() => harness.Send()).Code);
        Assert.Empty(harness.SourceState.Source.Ids());
        Assert.Empty(harness.SourceStates);
    }

    [Fact]
    public void A_move_allocates_no_more_for_more_pages()
    {
        var small = Allocated(16 << 20, out var fewPages);
        var large = Allocated(128 << 20, out var manyPages);
        Assert.True(manyPages > fewPages + 10_000, $"{fewPages} and {manyPages} pages");
        // The two bitmaps take a quarter of a byte a page, and each MiB of pages is a frame.
        Assert.True(large - small < (long)(manyPages - fewPages) * 2, $"{small} bytes for {fewPages} pages, {large} bytes for {manyPages}");
    }

    private static long Allocated(ulong memory, out ulong pages)
    {
        using var harness = new MoveHarness(new MachineOptions { MemoryBytes = memory, FillFraction = 1 }, running: false);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var report = harness.Send();
        pages = report.Pages;
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    /// <summary>The machine runs at the source, holds no session, and never runs there.</summary>
    private static void SourceGoesOn(MoveHarness harness)
    {
        using var client = MachineClient.Connect(harness.SourceVmm.Path);
        var status = client.Status();
        Assert.Equal((LifecycleState.Running, ""), (status.State, status.Session));
        Assert.True(harness.Machine.IsRunning);
        Assert.Equal(SourceMark.Kept, harness.SourceRecord.Mark);
        Assert.Null(harness.Incoming?.Completed);
    }
}
