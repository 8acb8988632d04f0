using Migrate.Model.Errors;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Ports;
using Migrate.Model.Registers;
using Migrate.Transfer.Machines;
using Migrate.Transfer.Wire;

namespace Migrate.Tests.Transfer.Machines;

public sealed class IncomingSessionTests : IDisposable
{
    private const string Id = "a1b2";
    private readonly VmDescription _description = Machines.Description();
    private readonly List<FakeIncoming> _built = [];
    private readonly List<string> _reached = [];
    private readonly MachineServer _server;
    private Action<FakeIncoming>? _prepare;

    public IncomingSessionTests() => _server = MachineServer.ServeIncoming(
        Machines.SocketPath(),
        "spare",
        description =>
        {
            var incoming = new FakeIncoming(description);
            _prepare?.Invoke(incoming);
            _built.Add(incoming);
            return incoming;
        },
        new MachineServerOptions { Reached = _reached.Add });

    [Fact]
    public void A_machine_is_built_filled_and_started_once()
    {
        using var client = Connect();
        Assert.Equal(("spare", LifecycleState.Incoming), (client.Status().Name, client.Status().State));
        using var session = client.OpenIncoming();
        session.BeginVm(_description);
        Assert.All(session.Execute(Machines.PrepareSteps(_description)), answer => Assert.True(answer.Succeeded));
        Assert.Equal(_description.Memory, session.Memory.Slots.Select(s => s.Slot));
        session.Memory.Slots[0].Mapping.Slice(0, 1)[0] = 42;
        Assert.All(session.Execute([Machines.Write(5)]), answer => Assert.True(answer.Succeeded));
        Assert.Equal([new ReadAnswer(0, new RegisterValue(1)), new ReadAnswer(2, null)], session.Read([new(0, Machines.Id(1)), new(1, Machines.Id(1))]));
        session.Start(Id);

        var machine = _built[0].Completed!;
        Assert.True(machine.IsRunning);
        Assert.Equal(("web1", LifecycleState.Running, Id, ""), (client.Status().Name, client.Status().State, client.Status().HandoverId, client.Status().Session));
        Assert.Equal(ErrorCode.WrongState, Assert.Throws<PeerErrorException>(() => session.Start(Id)).Code);
        Assert.Equal(["prepared", "applied", "running"], _reached);
        Assert.Equal([.. Machines.PrepareSteps(_description), Machines.Write(5)], _built[0].Steps);
        // What came in can go on: the same socket serves it as a source.
        using var source = client.OpenSource();
        Assert.Equal(42, source.Memory.Slots[0].Mapping.View(0, 1)[0]);
    }

    [Fact]
    public void A_started_machine_survives_the_end_of_its_session()
    {
        using (var client = Connect())
        {
            var session = Applied(client);
            session.Start(Id);
            client.Abort();
            session.Dispose();
        }
        using var other = Connect();
        Assert.Equal(LifecycleState.Running, other.Status().State);
        Assert.True(_built[0].Completed!.IsRunning);
        Assert.False(_built[0].IsDisposed);
    }

    [Fact]
    public void A_session_that_ends_before_the_start_throws_the_machine_away_and_the_next_begins_anew()
    {
        using var client = Connect();
        Applied(client).Dispose();
        Assert.Equal((LifecycleState.Incoming, "spare", ""), (client.Status().State, client.Status().Name, client.Status().VmId));
        Assert.True(_built[0].IsDisposed);
        using var again = Applied(client);
        again.Start(Id);
        Assert.Equal(_description.Id, client.Status().VmId);
        Assert.True(_built[1].Completed!.IsRunning);
        Assert.Null(_built[0].Completed);
    }

    [Fact]
    public void A_connection_whose_session_ended_with_the_start_may_rest_no_longer_than_others()
    {
        using var closed = new ManualResetEventSlim();
        var path = Machines.SocketPath();
        using (var server = MachineServer.ServeIncoming(path, "spare", d => new FakeIncoming(d), new MachineServerOptions { IdleTimeout = TimeSpan.FromSeconds(2), Report = _ => closed.Set() }))
        {
            using var client = MachineClient.Connect(path);
            using var session = Applied(client);
            session.Start(Id);
            Assert.True(closed.Wait(TimeSpan.FromSeconds(30)), "the connection still stands");
            using var other = MachineClient.Connect(path);
            Assert.Equal(LifecycleState.Running, other.Status().State);
        }
        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
    }

    [Fact]
    public void A_second_session_is_refused_by_the_name_of_the_holder()
    {
        using var client = Connect();
        using var session = client.OpenIncoming();
        using var other = Connect();
        var error = Assert.Throws<PeerErrorException>(() => other.OpenIncoming());
        Assert.Equal(ErrorCode.Busy, error.Code);
        Assert.Contains($"the incoming session of pid {Environment.ProcessId}", error.Message);
        Assert.Throws<PeerErrorException>(() => other.Destroy());
    }

    [Fact]
    public void Steps_out_of_place_are_refused()
    {
        using var client = Connect();
        using var session = client.OpenIncoming();
        Assert.Equal(ErrorCode.WrongState, Assert.Throws<PeerErrorException>(() => session.Execute(Machines.PrepareSteps(_description))).Code);
        session.BeginVm(_description);
        Assert.Equal(ErrorCode.WrongState, Assert.Throws<PeerErrorException>(() => session.BeginVm(_description)).Code);
        Assert.Equal(ErrorCode.WrongState, Assert.Throws<PeerErrorException>(() => session.Start(Id)).Code);
        session.Execute(Machines.PrepareSteps(_description));
        Assert.Equal(ErrorCode.WrongState, Assert.Throws<PeerErrorException>(() => session.Start(Id)).Code);
        Assert.Throws<PeerErrorException>(() => session.Execute([Machines.Write(1), Machines.Write(2, StepPhase.Prepare)]));
        session.Execute([Machines.Write(1)]);
        Assert.Equal(ErrorCode.WrongState, Assert.Throws<PeerErrorException>(() => session.Execute([Machines.Write(2, StepPhase.Prepare)])).Code);
        session.Start(Id);
    }

    [Fact]
    public void Requests_to_a_source_are_refused_by_a_machine_still_to_come()
    {
        using var client = Connect();
        foreach (var act in new Action[] { () => client.OpenSource(), client.Pause, client.Resume, () => client.Describe(), () => client.ResumeReleased(Id) })
            Assert.Equal(ErrorCode.WrongState, Assert.Throws<PeerErrorException>(act).Code);
    }

    [Fact]
    public void A_refused_step_is_an_answer_and_later_steps_still_run()
    {
        using var client = Connect();
        using var session = client.OpenIncoming();
        session.BeginVm(_description);
        var answers = session.Execute([Machines.Write(1), Machines.Write(22), Machines.Write(3)]);
        Assert.Equal([StepAnswer.Ok, new StepAnswer(22, "no such value"), StepAnswer.Ok], answers);
    }

    [Fact]
    public void A_long_plan_goes_in_batches_and_keeps_its_order()
    {
        using var client = Connect();
        using var session = client.OpenIncoming();
        session.BeginVm(_description);
        RestoreStep[] steps = [.. Enumerable.Range(100, 9000).Select(i => Machines.Write((ulong)i))];
        Assert.Equal(9000, session.Execute(steps).Count);
        Assert.Equal(steps, _built[0].Steps);
        Assert.True(_built[0].Batches.Count > 1);
        var large = new RestoreHandler(new HandlerState("sdei", 1, [.. new byte[900_000]]));
        session.Execute([large, large, large]);
        Assert.Equal([1, 1, 1], _built[0].Batches.TakeLast(3));
        var registers = Enumerable.Range(0, 9000).Select(i => new RegisterAddress(0, Machines.Id(i))).ToArray();
        Assert.Equal(registers.Select(r => (ulong)r.Id.Index), session.Read(registers).Select(a => a.Value!.Value.Low));
    }

    [Fact]
    public void A_machine_that_cannot_be_built_is_an_error_and_the_session_goes_on()
    {
        _prepare = _ => throw new MigrateException(ErrorCode.Refused, "not enough memory");
        using var client = Connect();
        using var session = client.OpenIncoming();
        Assert.Equal("not enough memory", Assert.Throws<PeerErrorException>(() => session.BeginVm(_description)).Reason);
        _prepare = null;
        session.BeginVm(_description);
    }

    [Theory, InlineData(false), InlineData(true)]
    public void A_start_that_fails_never_runs(bool afterComplete)
    {
        var fault = new MigrateException(ErrorCode.System, "no vCPU");
        _prepare = incoming =>
        {
            if (afterComplete) incoming.MachineFault = ("resume", fault);
            else incoming.CompleteFault = fault;
        };
        using var client = Connect();
        using var session = Applied(client);
        Assert.Contains("no vCPU", Assert.Throws<PeerErrorException>(() => session.Start(Id)).Message);
        Assert.Equal(LifecycleState.Destroyed, client.Status().State);
        Assert.True(SpinWait.SpinUntil(() => _server.Destroyed.IsCompleted, TimeSpan.FromSeconds(30)));
        Assert.Throws<PeerErrorException>(() => session.Start(Id));
        Assert.Throws<PeerErrorException>(() => client.OpenIncoming());
        Assert.NotEqual(true, _built[0].Completed?.IsRunning);
    }

    [Fact]
    public void A_process_that_waits_for_a_machine_can_be_ended()
    {
        using var client = Connect();
        client.Destroy();
        Assert.True(SpinWait.SpinUntil(() => _server.Destroyed.IsCompleted, TimeSpan.FromSeconds(30)));
        Assert.Throws<PeerErrorException>(() => client.OpenIncoming());
    }

    public void Dispose()
    {
        _server.Dispose();
        Directory.Delete(Path.GetDirectoryName(_server.Path)!, recursive: true);
    }

    private MachineClient Connect() => MachineClient.Connect(_server.Path);

    private IncomingSession Applied(MachineClient client)
    {
        var session = client.OpenIncoming();
        session.BeginVm(_description);
        session.Execute(Machines.PrepareSteps(_description));
        session.Execute([Machines.Write(5)]);
        return session;
    }
}
