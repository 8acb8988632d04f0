using Migrate.Model.Errors;
using Migrate.Model.Machines;
using Migrate.Model.Ports;
using Migrate.Transfer.Machines;
using Migrate.Transfer.Wire;

namespace Migrate.Tests.Transfer.Machines;

public class InjectEventTests
{
    private const uint Number = 0x4000_0000;

    [Fact]
    public void An_event_reaches_the_vcpu_that_it_is_for_in_a_session_too()
    {
        var machine = new WithEvents();
        using var server = MachineServer.Serve(Machines.SocketPath(), machine);
        using var client = MachineClient.Connect(server.Path);
        client.InjectEvent(1, Number);
        using var session = client.OpenSource();
        client.InjectEvent(0, 0);
        Assert.Equal([(1, Number), (0, 0U)], machine.Injected);
        session.Quiesce();
        Assert.Equal(ErrorCode.WrongState, Assert.Throws<PeerErrorException>(() => client.InjectEvent(0, 0)).Code);
    }

    [Fact]
    public void A_machine_that_the_operator_paused_takes_an_event_in_a_session()
    {
        var machine = new WithEvents();
        using var server = MachineServer.Serve(Machines.SocketPath(), machine);
        using var client = MachineClient.Connect(server.Path);
        client.Pause();
        using var session = client.OpenSource();
        client.InjectEvent(1, Number);
        Assert.Equal([(1, Number)], machine.Injected);
        Assert.False(machine.IsRunning);
    }

    [Fact]
    public void What_the_guest_has_no_handler_for_is_refused_by_name()
    {
        using var server = MachineServer.Serve(Machines.SocketPath(), new WithEvents());
        using var client = MachineClient.Connect(server.Path);
        var error = Assert.Throws<PeerErrorException>(() => client.InjectEvent(2, Number));
        Assert.Equal(ErrorCode.NotFound, error.Code);
        Assert.Contains("vCPU 2 of machine web1 has no handler for event 0x40000000", error.Message);
        client.Pause();
        Assert.Equal(ErrorCode.WrongState, Assert.Throws<PeerErrorException>(() => client.InjectEvent(0, 0)).Code);
    }

    [Fact]
    public void A_machine_without_events_says_so()
    {
        using var server = MachineServer.Serve(Machines.SocketPath(), new FakeMachine());
        using var client = MachineClient.Connect(server.Path);
        Assert.Equal(ErrorCode.Unsupported, Assert.Throws<PeerErrorException>(() => client.InjectEvent(0, Number)).Code);
    }

    /// <summary>Has two vCPUs that handle every event.</summary>
    private sealed class WithEvents : IMachine, IEventTarget
    {
        private readonly FakeMachine _machine = new();

        public List<(int Vcpu, uint Number)> Injected { get; } = [];

        public IReadOnlyList<GuestMemory> Memory => _machine.Memory;

        public bool IsRunning => _machine.IsRunning;

        public IReadOnlyList<KeyValuePair<string, ulong>> Counters => _machine.Counters;

        public bool TryInject(int vcpu, uint number)
        {
            if (vcpu > 1) return false;
            Injected.Add((vcpu, number));
            return true;
        }

        public MachineReport Describe() => _machine.Describe();

        public void StartDirtyLog() => _machine.StartDirtyLog();

        public void StopDirtyLog() => _machine.StopDirtyLog();

        public void CollectDirty(int slot, Span<ulong> bitmap) => _machine.CollectDirty(slot, bitmap);

        public void Throttle(int percent) => _machine.Throttle(percent);

        public void Quiesce() => _machine.Quiesce();

        public MachineState Capture() => _machine.Capture();

        public void Resume() => _machine.Resume();
    }
}
