using Migrate.Linux.Memory;
using Migrate.Model.Errors;
using Migrate.Model.Ports;
using Migrate.Transfer.Machines;
using Migrate.Transfer.Wire;

namespace Migrate.Tests.Transfer.Machines;

public sealed class SourceSessionTests : IDisposable
{
    private const string Id = "a1b2";
    private readonly FakeMachine _machine = new();
    private readonly List<string> _reached = [];
    private readonly MachineServer _server;

    public SourceSessionTests() => _server = MachineServer.Serve(Machines.SocketPath(), _machine, new MachineServerOptions { Reached = _reached.Add });

    [Fact]
    public void A_machine_is_described_and_shows_its_state()
    {
        using var client = Connect();
        var report = client.Describe();
        Assert.Equal(Machines.State(_machine.Description), report.State);
        Assert.Equal(FakeMachine.PageSize, report.PageSize);
        var status = client.Status();
        Assert.Equal(("web1", _machine.Description.Id, Environment.ProcessId, LifecycleState.Running, "", ""),
            (status.Name, status.VmId, status.Pid, status.State, status.HandoverId, status.Session));
        Assert.Equal("calls", Assert.Single(status.Counters).Key);
    }

    [Fact]
    public void A_whole_move_goes_through_its_states_in_order()
    {
        using var client = Connect();
        using var session = client.OpenSource();
        Assert.True(session.WasRunning);
        var bitmap = session.NewBitmap();
        _machine.Write(0, 3, 7);
        _machine.Write(2, 98, 8);
        Assert.Equal(new CollectResult(1, 2), session.Collect(bitmap));
        Assert.Equal((1UL << 3, 1UL << 34), (bitmap.Slot(0)[0], bitmap.Slot(1)[1]));
        Assert.Equal(7, session.Memory.Slots[0].Mapping.View(3 * FakeMachine.PageSize, 1)[0]);
        Assert.Equal(new CollectResult(2, 0), session.Collect(bitmap));
        session.Throttle(40);
        Assert.Equal(40, _machine.ThrottledTo);
        session.Quiesce();
        Assert.False(_machine.IsRunning);
        _machine.Write(0, 99, 1);
        Assert.Equal(new CollectResult(3, 1), session.Collect(bitmap));
        Assert.Equal(Machines.State(_machine.Description), session.Capture());
        session.Release(Id);
        session.Release(Id);
        Assert.Equal((LifecycleState.Released, Id), (client.Status().State, client.Status().HandoverId));
        client.Destroy(Id);
        Assert.True(SpinWait.SpinUntil(() => _server.Destroyed.IsCompleted, TimeSpan.FromSeconds(30)));
        Assert.True(_machine.IsDisposed);
        Assert.Equal(["logging", "quiesced", "released", "destroyed"], _reached);
    }

    [Fact]
    public void A_second_consumer_is_refused_by_the_name_of_the_holder()
    {
        using var client = Connect();
        using var session = client.OpenSource();
        using var other = Connect();
        var error = Assert.Throws<PeerErrorException>(() => other.OpenSource());
        Assert.Equal(ErrorCode.Busy, error.Code);
        Assert.Contains($"the source session of pid {Environment.ProcessId}", error.Message);
        Assert.Contains("source session", other.Status().Session);
        // The refusal cost the holder nothing, and the other's connection still serves.
        session.Collect(session.NewBitmap());
        session.Dispose();
        using var second = other.OpenSource();
        second.Collect(second.NewBitmap());
    }

    [Fact]
    public void Session_requests_of_others_are_refused()
    {
        using var client = Connect();
        using var session = client.OpenSource();
        using var other = Connect();
        foreach (var request in new[] { FrameKind.Quiesce, FrameKind.Capture, FrameKind.CloseSession })
            Assert.Equal(ErrorCode.WrongState, Assert.Throws<PeerErrorException>(() => other.Tell(request)).Code);
        Assert.Equal(ErrorCode.WrongState, Assert.Throws<PeerErrorException>(() => other.Tell(FrameKind.Release, MachineMessages.Handover, Id)).Code);
        Assert.True(_machine.IsRunning);
        Assert.Equal(LifecycleState.Logging, client.Status().State);
    }

    [Theory, InlineData(false, false), InlineData(true, false), InlineData(false, true), InlineData(true, true)]
    public void A_session_that_ends_before_release_leaves_the_machine_running_unlogged_and_unthrottled(bool quiesced, bool aborted)
    {
        var client = Connect();
        var session = client.OpenSource();
        session.Throttle(90);
        if (quiesced) session.Quiesce();
        if (aborted) Kill(client);
        else session.Dispose();
        client.Dispose();
        Assert.Equal((true, false, 0), (_machine.IsRunning, _machine.IsLogging, _machine.ThrottledTo));
        Assert.Equal((LifecycleState.Running, ""), (_server.Status.State, _server.Status.Session));
    }

    [Fact]
    public void A_machine_that_was_paused_stays_paused_when_its_session_ends()
    {
        using var client = Connect();
        client.Pause();
        using (var session = client.OpenSource())
        {
            Assert.False(session.WasRunning);
            session.Quiesce();
            session.Resume();
            session.Quiesce();
        }
        Assert.False(_machine.IsRunning);
        Assert.Equal(LifecycleState.Paused, client.Status().State);
        client.Resume();
        Assert.True(_machine.IsRunning);
    }

    [Fact]
    public void A_released_machine_stays_paused_when_its_session_ends_and_runs_again_by_its_id_only()
    {
        var client = Connect();
        var session = client.OpenSource();
        session.Quiesce();
        session.Release(Id);
        Kill(client);
        session.Dispose();
        client.Dispose();
        Assert.False(_machine.IsRunning);

        using var other = Connect();
        Assert.Equal(LifecycleState.Released, other.Status().State);
        var error = Assert.Throws<PeerErrorException>(() => other.ResumeReleased("ffff"));
        Assert.Equal(ErrorCode.WrongState, error.Code);
        Assert.Contains("another handover id", error.Message);
        Assert.DoesNotContain(Id, error.Message);
        Assert.Throws<PeerErrorException>(() => other.ResumeReleased(""));
        Assert.Throws<PeerErrorException>(other.Resume);
        Assert.Throws<PeerErrorException>(other.Pause);
        Assert.Throws<PeerErrorException>(() => other.OpenSource());
        Assert.False(_machine.IsRunning);
        other.ResumeReleased(Id);
        Assert.True(_machine.IsRunning);
        Assert.Throws<PeerErrorException>(() => other.ResumeReleased(Id));
        using var again = other.OpenSource();
        again.Quiesce();
    }

    [Fact]
    public void A_released_machine_is_destroyed_by_its_id_only()
    {
        using var client = Connect();
        using var session = client.OpenSource();
        session.Quiesce();
        session.Release(Id);
        Assert.Throws<PeerErrorException>(() => client.Destroy());
        Assert.Throws<PeerErrorException>(() => client.Destroy("ffff"));
        Assert.False(_machine.IsDisposed);
        client.Destroy(Id);
        Assert.True(_machine.IsDisposed);
        Assert.Equal(LifecycleState.Destroyed, client.Status().State);
        Assert.Throws<PeerErrorException>(() => client.ResumeReleased(Id));
    }

    [Fact]
    public void A_running_machine_is_not_destroyed_and_a_paused_one_is()
    {
        using var client = Connect();
        Assert.Equal(ErrorCode.WrongState, Assert.Throws<PeerErrorException>(() => client.Destroy()).Code);
        client.Pause();
        Assert.Equal(ErrorCode.WrongState, Assert.Throws<PeerErrorException>(() => client.Destroy(Id)).Code);
        client.Destroy();
        Assert.True(_machine.IsDisposed);
    }

    [Fact]
    public void The_operator_is_refused_while_a_session_holds_the_machine()
    {
        using var client = Connect();
        using var session = client.OpenSource();
        using var operatorClient = Connect();
        foreach (var act in new Action[] { operatorClient.Pause, operatorClient.Resume, () => operatorClient.Destroy() })
        {
            var error = Assert.Throws<PeerErrorException>(act);
            Assert.Equal(ErrorCode.Busy, error.Code);
            Assert.Contains("source session", error.Message);
        }
        session.Dispose();
        operatorClient.Pause();
        Assert.False(_machine.IsRunning);
    }

    [Fact]
    public void Capture_and_release_need_a_quiesced_machine()
    {
        using var client = Connect();
        using var session = client.OpenSource();
        Assert.Equal(ErrorCode.WrongState, Assert.Throws<PeerErrorException>(() => session.Capture()).Code);
        Assert.Equal(ErrorCode.WrongState, Assert.Throws<PeerErrorException>(() => session.Release(Id)).Code);
        session.Quiesce();
        session.Capture();
        session.Resume();
        Assert.True(_machine.IsRunning);
        Assert.Throws<PeerErrorException>(() => session.Release(Id));
        session.Quiesce();
        session.Release(Id);
        Assert.Throws<PeerErrorException>(session.Resume);
        Assert.Throws<PeerErrorException>(() => session.Release("ffff"));
        Assert.Throws<PeerErrorException>(() => session.Collect(session.NewBitmap()));
    }

    [Theory, InlineData(""), InlineData("a b"), InlineData("ä"), InlineData("../x"), InlineData("12345678901234567890123456789012345678901234567890123456789012345")]
    public void A_handover_id_that_is_none_is_refused(string id)
    {
        using var client = Connect();
        using var session = client.OpenSource();
        session.Quiesce();
        Assert.Throws<PeerErrorException>(() => session.Release(id));
        Assert.Equal(LifecycleState.Quiesced, client.Status().State);
    }

    [Fact]
    public void Dirty_pages_of_an_answer_that_was_not_consumed_come_again()
    {
        using var client = Connect();
        using var session = client.OpenSource();
        _machine.Write(0, 1, 1);
        Assert.Throws<PeerErrorException>(() => Ask(client, -1));
        Ask(client, 0);
        _machine.Write(0, 2, 1);
        Assert.Equal(new CollectReply(2, 2), Ask(client, 0));
        _machine.Write(0, 3, 1);
        Assert.Equal(new CollectReply(3, 1), Ask(client, 2));
        foreach (var wrong in new long[] { 1, 4, -1, long.MinValue }) Assert.Throws<PeerErrorException>(() => Ask(client, wrong));
        Assert.Equal(new CollectReply(4, 0), Ask(client, 3));

        static CollectReply Ask(MachineClient client, long consumed) =>
            client.Ask(FrameKind.Collect, MachineMessages.Consumed, consumed, FrameKind.Collected, MachineMessages.Collected);
    }

    [Fact]
    public void Dirty_pages_of_a_collection_that_failed_half_way_are_not_lost()
    {
        using var client = Connect();
        using var session = client.OpenSource();
        var bitmap = session.NewBitmap();
        session.Collect(bitmap);
        _machine.Write(0, 5, 1);
        _machine.Write(2, 6, 1);
        _machine.Fault = ("collect-2", new MigrateException(ErrorCode.System, "no log"));
        Assert.Equal("no log", Assert.Throws<PeerErrorException>(() => session.Collect(bitmap)).Reason);
        _machine.Fault = null;
        Assert.Equal(new CollectResult(2, 2), session.Collect(bitmap));
    }

    [Theory, InlineData(-1), InlineData(100)]
    public void A_throttle_out_of_range_is_refused(int percent)
    {
        using var client = Connect();
        using var session = client.OpenSource();
        Assert.Throws<PeerErrorException>(() => session.Throttle(percent));
        session.Throttle(0);
    }

    [Fact]
    public void What_cannot_be_described_is_refused_by_name_and_leaves_no_session()
    {
        _machine.Undescribable = ["vfio 0000:01:00.0"];
        using var client = Connect();
        Assert.Contains("vfio 0000:01:00.0", Assert.Throws<PeerErrorException>(() => client.OpenSource()).Message);
        Assert.Equal(LifecycleState.Running, client.Status().State);
        _machine.Undescribable = [];
        using var session = client.OpenSource();
    }

    [Fact]
    public void The_status_is_told_while_a_long_request_runs()
    {
        using var entered = new ManualResetEventSlim();
        using var leave = new ManualResetEventSlim();
        _machine.During = call =>
        {
            if (call != "quiesce") return;
            entered.Set();
            leave.Wait(TimeSpan.FromSeconds(30));
        };
        using var client = Connect();
        using var session = client.OpenSource();
        var quiesce = OtherSide.Run(session.Quiesce);
        Assert.True(entered.Wait(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        using var other = Connect();
        Assert.Equal(LifecycleState.Logging, other.Status().State);
        leave.Set();
        quiesce.Join();
        Assert.Equal(LifecycleState.Quiesced, other.Status().State);
    }

    [Fact]
    public void More_slots_than_one_frame_has_descriptors_are_all_mapped()
    {
        var machine = new FakeMachine(Machines.Description(slots: 70));
        using var server = MachineServer.Serve(Machines.SocketPath(), machine);
        using var client = MachineClient.Connect(server.Path);
        using var session = client.OpenSource();
        Assert.Equal(machine.Description.Memory, session.Memory.Slots.Select(s => s.Slot));
        machine.Write(138, 2, 5);
        var bitmap = session.NewBitmap();
        Assert.Equal(1, session.Collect(bitmap).Pages);
        Assert.Equal(4UL, bitmap.Slot(69)[0]);
    }

    [Fact]
    public void A_machine_with_more_slots_than_can_be_moved_is_refused_and_stays_as_it_was()
    {
        var machine = new FakeMachine();
        machine.Memory = [.. Enumerable.Repeat(machine.Memory[0], 513)];
        using var server = MachineServer.Serve(Machines.SocketPath(), machine);
        using var client = MachineClient.Connect(server.Path);
        var error = Assert.Throws<PeerErrorException>(() => client.OpenSource());
        Assert.Equal(ErrorCode.Refused, error.Code);
        Assert.Contains("cannot be moved: it has 513 memory slots, at most 512", error.Message);
        Assert.Equal((LifecycleState.Running, "", false), (client.Status().State, client.Status().Session, machine.IsLogging));
    }

    [Fact]
    public void A_connection_whose_session_ended_with_resume_released_may_rest_no_longer_than_others()
    {
        using var closed = new ManualResetEventSlim();
        var options = new MachineServerOptions { IdleTimeout = TimeSpan.FromSeconds(2), Report = _ => closed.Set() };
        using var server = MachineServer.Serve(Machines.SocketPath(), new FakeMachine(), options);
        using var client = MachineClient.Connect(server.Path);
        using var session = client.OpenSource();
        session.Quiesce();
        session.Release("a1b2");
        client.ResumeReleased("a1b2");
        Assert.True(closed.Wait(TimeSpan.FromSeconds(30)), "the connection still stands");
        using var other = MachineClient.Connect(server.Path);
        Assert.Equal(LifecycleState.Running, other.Status().State);
    }

    [Fact]
    public void Memory_that_is_not_sealed_is_refused_before_it_is_mapped()
    {
        var path = Path.GetTempFileName();
        using (var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite))
        {
            RandomAccess.SetLength(file, 100 * FakeMachine.PageSize);
            _machine.Memory = [new GuestMemory(_machine.Memory[0].Slot, file), _machine.Memory[1]];
            using var client = Connect();
            Assert.Equal(ErrorCode.Refused, Assert.ThrowsAny<MigrateException>(() => client.OpenSource()).Code);
        }
        File.Delete(path);
        WaitFor(() => _server.Status.Session.Length == 0);
        Assert.True(_machine.IsRunning);
    }

    [Fact]
    public void Memory_smaller_than_its_slot_is_refused_before_it_is_mapped()
    {
        using var small = MemFd.Create("small", FakeMachine.PageSize);
        _machine.Memory = [_machine.Memory[0], new GuestMemory(_machine.Memory[1].Slot, small)];
        using var client = Connect();
        Assert.Equal(ErrorCode.Refused, Assert.ThrowsAny<MigrateException>(() => client.OpenSource()).Code);
    }

    public void Dispose()
    {
        _server.Dispose();
        Directory.Delete(Path.GetDirectoryName(_server.Path)!, recursive: true);
    }

    private MachineClient Connect() => MachineClient.Connect(_server.Path);

    /// <summary>As if the process had died: no farewell, and wait until the server has seen it.</summary>
    private void Kill(MachineClient client)
    {
        client.Abort();
        WaitFor(() => _server.Status.Session.Length == 0);
    }

    private static void WaitFor(Func<bool> condition) => Assert.True(SpinWait.SpinUntil(condition, TimeSpan.FromSeconds(30)), "it never came to pass");
}
