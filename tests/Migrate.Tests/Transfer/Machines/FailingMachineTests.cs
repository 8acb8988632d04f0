using Migrate.Model.Errors;
using Migrate.Transfer.Machines;
using Migrate.Transfer.Wire;

namespace Migrate.Tests.Transfer.Machines;

/// <summary>A machine behind the socket that fails: what is said of it stays true.</summary>
public sealed class FailingMachineTests : IDisposable
{
    private readonly FakeMachine _machine = new();
    private readonly MachineServer _server;

    public FailingMachineTests() => _server = MachineServer.Serve(Machines.SocketPath(), _machine);

    [Fact]
    public void A_machine_that_cannot_start_its_log_stays_as_it_was()
    {
        _machine.Fault = ("start-log", new MigrateException(ErrorCode.System, "no log"));
        using var client = Connect();
        Assert.Throws<PeerErrorException>(() => client.OpenSource());
        Assert.Equal((LifecycleState.Running, ""), (client.Status().State, client.Status().Session));
    }

    /// <summary>"Nothing was done", says an error; so the guest runs.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_stop_that_fails_half_way_leaves_the_machine_as_its_state_says(bool resumes)
    {
        _machine.HalfQuiesced = new MigrateException(ErrorCode.System, "KVM does not save its tables");
        if (!resumes) _machine.Fault = ("resume", new MigrateException(ErrorCode.System, "no thread"));
        using var client = Connect();
        Assert.Contains("does not save", Assert.ThrowsAny<MigrateException>(client.Pause).Message);
        var status = client.Status();
        Assert.Equal((resumes, resumes ? LifecycleState.Running : LifecycleState.Paused), (_machine.IsRunning, status.State));
        if (!resumes) Assert.Equal("could not resume after a stop that failed: no thread", status.Note);
        (_machine.HalfQuiesced, _machine.Fault) = (null, null);
        if (!resumes) client.Resume();
        using var session = client.OpenSource();
        session.Quiesce();
    }

    [Fact]
    public void A_machine_that_fails_in_a_session_costs_the_session_and_not_the_machine()
    {
        var client = Connect();
        var session = client.OpenSource();
        _machine.Fault = ("quiesce", new InvalidOperationException("a defect"));
        Assert.Contains("a defect", Assert.ThrowsAny<MigrateException>(session.Quiesce).Message);
        _machine.Fault = null;
        session.Dispose();
        client.Dispose();
        using var other = Connect();
        other.Describe();
        WaitFor(() => _server.Status.Session.Length == 0);
        Assert.Equal((true, false), (_machine.IsRunning, _machine.IsLogging));
    }

    [Fact]
    public void A_machine_that_cannot_resume_after_a_loss_says_so()
    {
        using var client = Connect();
        var session = client.OpenSource();
        session.Quiesce();
        _machine.Fault = ("resume", new MigrateException(ErrorCode.System, "no CPU left"));
        session.Dispose();
        var status = client.Status();
        Assert.Equal(LifecycleState.Paused, status.State);
        Assert.Contains("no CPU left", status.Note);
        _machine.Fault = null;
        client.Resume();
        Assert.True(_machine.IsRunning);
    }

    [Fact]
    public void A_log_that_cannot_be_stopped_does_not_keep_the_machine_from_running_on()
    {
        using var client = Connect();
        var session = client.OpenSource();
        session.Quiesce();
        _machine.Fault = ("stop-log", new MigrateException(ErrorCode.System, "no"));
        session.Dispose();
        Assert.Equal((true, LifecycleState.Running), (_machine.IsRunning, client.Status().State));
    }

    public void Dispose()
    {
        _server.Dispose();
        Directory.Delete(Path.GetDirectoryName(_server.Path)!, recursive: true);
    }

    private MachineClient Connect() => MachineClient.Connect(_server.Path);

    private static void WaitFor(Func<bool> condition) => Assert.True(SpinWait.SpinUntil(condition, TimeSpan.FromSeconds(30)), "it never came to pass");
}
