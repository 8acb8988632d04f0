using System.Net;
using System.Net.Sockets;
using Migrate.Linux.Memory;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Ports;
using Migrate.Simulation.Machines;
using Migrate.Tests.Simulation;
using Migrate.Transfer.Agent;
using Migrate.Transfer.Handover;
using Migrate.Transfer.Machines;
using Migrate.Transfer.Send;
using Migrate.Transfer.Wire;

namespace Migrate.Tests.Transfer.Handover;

/// <summary>A source with a machine, a destination with an agent and a waiting VMM, and a relay between them that can be cut.</summary>
internal sealed class MoveHarness : IDisposable, IProfileSource, IHandoverObserver
{
    private readonly string _root = Directory.CreateTempSubdirectory("handover-").FullName;
    private readonly List<string> _points = [];
    private readonly List<string> _sourceStates = [];

    public MoveHarness(MachineOptions? machine = null, HostProfile? destination = null, Func<IIncomingMachine, IIncomingMachine>? wrap = null, bool running = true)
    {
        Profile = destination ?? SimulatedProfiles.Plain;
        Machine = SimulatedMachine.Create(SimulatedProfiles.Plain, machine ?? new MachineOptions { MemoryBytes = 8 << 20, WritesPerSecond = 2000 });
        if (running) Machine.Resume();
        SourceVmm = MachineServer.Serve(PathOf("source.sock"), Machine, new MachineServerOptions
        {
            Reached = state =>
            {
                lock (_sourceStates) _sourceStates.Add(state);
            },
        });
        wrap ??= incoming => incoming;
        IncomingVmm = MachineServer.ServeIncoming(PathOf("incoming.sock"), "waiting", _ => Incoming = new CapturingIncoming(wrap(new SimulatedIncoming(Profile))));
        SourceState = new StateDirectory(PathOf("source-state"), this);
        AgentState = new StateDirectory(PathOf("agent-state"), this);
        Agent = NewAgent();
        Relay = new Relay(() => Agent.EndPoint);
    }

    public HostProfile Profile { get; set; }

    public SimulatedMachine Machine { get; }

    public MachineServer SourceVmm { get; }

    public MachineServer IncomingVmm { get; }

    public CapturingIncoming? Incoming { get; private set; }

    public StateDirectory SourceState { get; }

    public StateDirectory AgentState { get; }

    public RestoreAgent Agent { get; private set; }

    public Relay Relay { get; }

    /// <summary>What happens when a point is reached, on the thread that reaches it.</summary>
    public Dictionary<string, Action> At { get; } = [];

    public IReadOnlyList<string> Points
    {
        get
        {
            lock (_points) return [.. _points];
        }
    }

    /// <summary>The states that the source's VMM went through.</summary>
    public IReadOnlyList<string> SourceStates
    {
        get
        {
            lock (_sourceStates) return [.. _sourceStates];
        }
    }

    public SendOptions Options => new()
    {
        MachineSocket = SourceVmm.Path,
        Host = "127.0.0.1",
        Port = Relay.Port,
        State = SourceState,
        OutcomeTimeout = TimeSpan.FromSeconds(20),
    };

    public string PathOf(string name) => Path.Combine(_root, name);

    public SendReport Send(Func<SendOptions, SendOptions>? change = null, Action<SendEvent>? progress = null, CancellationToken? cancelled = null) =>
        Sender.Send(change is null ? Options : change(Options), progress, cancelled ?? TestContext.Current.CancellationToken);

    /// <summary>Plays a sender up to the agent's ready.</summary>
    public void Offer(FrameChannel channel, string id)
    {
        channel.Send(FrameKind.Hello, TransferMessages.Hello, new Hello(id));
        channel.Expect(FrameKind.Welcome, TransferMessages.Welcome);
        channel.Send(FrameKind.Offer, TransferMessages.Offer, new Offer { Report = Machine.Describe() });
        Assert.Equal(FrameKind.Ready, channel.Receive().Kind);
    }

    public HandoverRecord<SourceMark> SourceRecord => SourceState.Source.Find(Assert.Single(SourceState.Source.Ids()))!;

    /// <summary>The one record, once the agent's sessions are over.</summary>
    public HandoverRecord<Migrate.Transfer.Receive.DestinationMark> DestinationRecord
    {
        get
        {
            Assert.True(SpinWait.SpinUntil(() => Agent.Status.Moves.Count == 0, TimeSpan.FromSeconds(30)));
            return AgentState.Destination.Find(Assert.Single(AgentState.Destination.Ids()))!;
        }
    }

    /// <summary>A new process of the agent, as far as this process can play one.</summary>
    public void RestartAgent()
    {
        Agent.Dispose();
        Agent = NewAgent();
    }

    public HostProfile Measure() => Profile;

    public void Reached(string point)
    {
        lock (_points) _points.Add(point);
        if (At.TryGetValue(point, out var act)) act();
    }

    public void Dispose()
    {
        Relay.Dispose();
        Agent.Dispose();
        SourceVmm.Dispose();
        IncomingVmm.Dispose();
        Machine.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    private RestoreAgent NewAgent() => new(
        new AgentOptions { OutcomePatience = TimeSpan.FromSeconds(2) }, AgentState, this, new AttachedIncoming(IncomingVmm.Path));
}

/// <summary>Keeps hold of the machine that an incoming one becomes.</summary>
internal sealed class CapturingIncoming(IIncomingMachine inner) : IIncomingMachine
{
    public IMachine? Completed { get; private set; }

    public IReadOnlyList<GuestMemory> Memory => inner.Memory;

    public IReadOnlyList<StepAnswer> Execute(IReadOnlyList<RestoreStep> steps) => inner.Execute(steps);

    public IReadOnlyList<ReadAnswer> Read(IReadOnlyList<RegisterAddress> registers) => inner.Read(registers);

    public IMachine Complete(VmDescription description) => Completed = inner.Complete(description);

    public void Dispose() => inner.Dispose();
}

/// <summary>Changes a byte of guest memory as the first state is applied to it.</summary>
internal sealed class WritesWhenApplied(IIncomingMachine inner) : IIncomingMachine
{
    public bool Wrote { get; private set; }

    public IReadOnlyList<GuestMemory> Memory => inner.Memory;

    /// <summary>Changes a byte that is not zero.</summary>
    public static void Spoil(IIncomingMachine machine)
    {
        var memory = (MemFd)machine.Memory[0].Handle;
        Assert.True(memory.TryFindData(0, out var start, out _));
        using var mapping = memory.Map(MappingAccess.ReadWrite);
        mapping.Slice(start, 1)[0] ^= 1;
    }

    public IReadOnlyList<StepAnswer> Execute(IReadOnlyList<RestoreStep> steps)
    {
        if (!Wrote && steps.Any(s => s.Phase == StepPhase.Apply))
        {
            Spoil(inner);
            Wrote = true;
        }
        return inner.Execute(steps);
    }

    public IReadOnlyList<ReadAnswer> Read(IReadOnlyList<RegisterAddress> registers) => inner.Read(registers);

    public IMachine Complete(VmDescription description) => inner.Complete(description);

    public void Dispose() => inner.Dispose();
}

/// <summary>Carries bytes between sender and agent until it is cut.</summary>
internal sealed class Relay : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Func<IPEndPoint> _target;
    private readonly List<Socket> _sockets = [];
    private volatile bool _closed;

    public Relay(Func<IPEndPoint> target)
    {
        _target = target;
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _ = Task.Factory.StartNew(Accept, TaskCreationOptions.LongRunning);
    }

    public int Port { get; }

    /// <summary>While it is set, new connections are ended at once: the agent cannot be reached.</summary>
    public bool IsDown { get; set; }

    /// <summary>Ends every connection.</summary>
    public void Cut()
    {
        lock (_sockets)
        {
            foreach (var socket in _sockets)
            {
                try
                {
                    // Both ends see a reset, and bytes under way are lost.
                    socket.LingerState = new LingerOption(true, 0);
                    socket.Dispose();
                }
                catch (Exception e) when (e is SocketException or ObjectDisposedException)
                {
                    // Ended already.
                }
            }
            _sockets.Clear();
        }
    }

    public void Dispose()
    {
        _closed = true;
        _listener.Stop();
        Cut();
    }

    private void Accept()
    {
        while (!_closed)
        {
            Socket near;
            try
            {
                near = _listener.AcceptSocket();
            }
            catch (SocketException)
            {
                return;
            }
            if (IsDown)
            {
                near.Dispose();
                continue;
            }
            var far = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            near.NoDelay = true;
            try
            {
                far.Connect(_target());
            }
            catch (SocketException)
            {
                near.Dispose();
                continue;
            }
            lock (_sockets) _sockets.AddRange([near, far]);
            _ = Task.Factory.StartNew(() => Copy(near, far), TaskCreationOptions.LongRunning);
            _ = Task.Factory.StartNew(() => Copy(far, near), TaskCreationOptions.LongRunning);
        }
    }

    private static void Copy(Socket from, Socket to)
    {
        var buffer = new byte[256 << 10];
        try
        {
            while (from.Receive(buffer) is var length and > 0)
                for (var done = 0; done < length;) done += to.Send(buffer, done, length - done, SocketFlags.None);
            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            try
            {
                to.Dispose();
            }
            catch (SocketException)
            {
                // Gone already.
            }
        }
    }
}
