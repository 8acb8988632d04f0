using System.Net;
using Migrate.Linux.Files;
using Migrate.Linux.Sockets;
using Migrate.Model;
using Migrate.Model.Encoding;
using Migrate.Model.Errors;
using Migrate.Model.Plans;
using Migrate.Model.Ports;
using Migrate.Preflight;
using Migrate.Preflight.Trials;
using Migrate.Transfer.Handover;
using Migrate.Transfer.Machines;
using Migrate.Transfer.Receive;
using Migrate.Transfer.Wire;

namespace Migrate.Transfer.Agent;

/// <summary>The destination's server: judges, receives, and answers what became of a handover. It hosts no VM, and no connection ends it.</summary>
public sealed class RestoreAgent : IDisposable
{
    private readonly AgentOptions _options;
    private readonly IProfileSource _profiles;
    private readonly IIncomingLauncher _launcher;
    private readonly IScratchHost? _scratch;
    private readonly SemaphoreSlim _dryRuns;
    private readonly MemoryBudget _memory;
    private readonly HandoverLedger _ledger;
    private readonly OwnerLock _owner;
    private readonly TcpListenerSocket _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly Dictionary<FrameChannel, Thread> _connections = [];
    private readonly Thread _acceptor;
    private readonly Thread _adopter;

    /// <summary>Starts an agent. What an earlier process of it left unfinished is taken up at once.</summary>
    /// <param name="options">How it works.</param>
    /// <param name="state">Where it keeps its identity and its records; one agent a directory.</param>
    /// <param name="profiles">What the host accepts.</param>
    /// <param name="launcher">Where incoming machines are built.</param>
    /// <param name="scratch">Where plans are tried; null: dry runs are refused.</param>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Usage"/>: an address beyond loopback; <see cref="ErrorCode.Busy"/>: another agent has the
    /// state directory; <see cref="ErrorCode.System"/>: the address cannot be had.</exception>
    public RestoreAgent(AgentOptions options, StateDirectory state, IProfileSource profiles, IIncomingLauncher launcher, IScratchHost? scratch = null)
    {
        options.Validate();
        _options = options = options with { Report = Reporting.Harmless(options.Report) };
        _profiles = profiles;
        _launcher = launcher;
        _scratch = scratch;
        _dryRuns = new SemaphoreSlim(options.MaxDryRuns);
        _memory = new MemoryBudget(options.AvailableMemory);
        _owner = OwnerLock.Take(state.AgentDirectory);
        try
        {
            _ledger = new HandoverLedger(state, state.AgentId(), options.OutcomePatience);
            _listener = TcpListenerSocket.Listen(options.Listen);
            state.AgentAddress = _listener.LocalEndPoint.ToString();
        }
        catch
        {
            _listener?.Dispose();
            _owner.Dispose();
            throw;
        }
        // Listed before the first move can start another.
        var leftovers = launcher.Leftovers();
        _adopter = new Thread(() => TakeUp(leftovers)) { Name = "agent-adopt", IsBackground = true };
        _adopter.Start();
        _acceptor = new Thread(Accept) { Name = "agent-accept", IsBackground = true };
        _acceptor.Start();
    }

    /// <summary>Where it listens.</summary>
    public IPEndPoint EndPoint => _listener.LocalEndPoint;

    /// <summary>Its durable identity.</summary>
    public string AgentId => _ledger.AgentId;

    /// <summary>What it is doing.</summary>
    public AgentStatus Status => new()
    {
        AgentId = AgentId,
        HostName = Environment.MachineName,
        Pid = Environment.ProcessId,
        Moves = _ledger.Sessions.Select(s => s.Status).ToEquatableArray(),
    };

    /// <summary>Ends every connection and waits for their threads. Machines that were started run on: they are other processes'.</summary>
    public void Dispose()
    {
        if (_stop.IsCancellationRequested) return;
        _stop.Cancel();
        _acceptor.Join();
        _listener.Dispose();
        Thread[] left;
        lock (_connections)
        {
            // A channel leaves the list before it is disposed of, so those that are in it can be ended.
            left = [.. _connections.Values];
            foreach (var channel in _connections.Keys) channel.Abort();
        }
        foreach (var thread in left) thread.Join();
        _adopter.Join();
        _owner.Dispose();
        _dryRuns.Dispose();
        _stop.Dispose();
    }

    private void TakeUp(IReadOnlyList<string> leftovers)
    {
        _ledger.Adopt(_options.Report);
        // A start that is not settled yet is settled by what its VMM says: as long as it waits, the machine never ran.
        IReadOnlyList<HandoverRecord<DestinationMark>> needed;
        try
        {
            needed = _ledger.Unsettled();
        }
        catch (MigrateException e)
        {
            _options.Report?.Invoke(e.Message);
            return;
        }
        foreach (var socket in leftovers.Except(needed.Select(record => record.MachineSocket)))
            if (!_stop.IsCancellationRequested && LeftoverVmm.End(socket, _options.OutcomePatience)) _options.Report?.Invoke($"{socket}: a VMM that an earlier process of this agent had started for no machine was ended");
    }

    private void Accept()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                if (_listener.Accept(Timeout.InfiniteTimeSpan, _stop.Token) is { } connection) Admit(connection);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (MigrateException e)
            {
                // Out of descriptors or memory: those who are connected go on, and new ones wait until there is room again.
                _options.Report?.Invoke(e.Message);
                _stop.Token.WaitHandle.WaitOne(TimeSpan.FromMilliseconds(100));
            }
        }
    }

    private void Admit(TcpConnection connection)
    {
        var channel = new FrameChannel(new TcpByteStream(connection), StreamPurpose.Transfer);
        try
        {
            connection.NoDelay = true;
            // Nothing here may wait for the peer: it would keep everybody else out.
            channel.IdleTimeout = TimeSpan.FromSeconds(1);
            lock (_connections)
            {
                if (_connections.Count < _options.MaxConnections)
                {
                    var thread = new Thread(() => Serve(channel)) { Name = "agent-connection", IsBackground = true };
                    _connections.Add(channel, thread);
                    thread.Start();
                    return;
                }
            }
            channel.WritePreamble();
            channel.TrySendError(new MigrateException(ErrorCode.Busy, $"{_options.MaxConnections} connections are open already") { IsTransient = true });
        }
        catch (MigrateException e)
        {
            _options.Report?.Invoke(e.Message);
        }
        channel.Dispose();
    }

    private void Serve(FrameChannel channel)
    {
        try
        {
            channel.IdleTimeout = _options.GreetingTimeout;
            using (Deadline.Set(channel, _options.GreetingTimeout)) channel.ExchangePreambles();
            // It is one of ours: a sender on a busy host takes its time between its steps.
            channel.IdleTimeout = _options.IdleTimeout;
            Answer(channel);
        }
        catch (MigrateException e)
        {
            channel.TrySendError(e);
            _options.Report?.Invoke($"{channel.Name}: {e.Message}");
        }
        catch (Exception e)
        {
            // A defect costs this connection, not the agent.
            channel.TrySendError(new MigrateException(ErrorCode.System, $"the agent failed: {e.GetType().Name}: {e.Message}"));
            _options.Report?.Invoke($"{channel.Name}: {e}");
        }
        finally
        {
            lock (_connections) _connections.Remove(channel);
            channel.Dispose();
        }
    }

    /// <summary>A connection is for one thing, and its first frame says which.</summary>
    private void Answer(FrameChannel channel)
    {
        Frame frame;
        using (Deadline.Set(channel, _options.IdleTimeout)) frame = channel.Receive();
        switch (frame.Kind)
        {
            case FrameKind.Hello:
                Move(channel, frame.Decode(TransferMessages.Hello));
                break;
            case FrameKind.OutcomeQuery:
                channel.Send(FrameKind.Outcome, TransferMessages.Outcome, _ledger.Outcome(frame.Decode(TransferMessages.OutcomeQuestion)));
                break;
            case FrameKind.Cancel:
                _ledger.Cancel(frame.Decode(TransferMessages.Handover));
                channel.Send(FrameKind.Done);
                break;
            case FrameKind.AgentStatusQuery:
                channel.Send(FrameKind.AgentStatus, TransferMessages.AgentStatus, Status);
                break;
            case FrameKind.ProfileQuery:
                channel.Send(FrameKind.Profile, Documents.HostProfile, _profiles.Measure());
                break;
            case FrameKind.CheckQuery:
                var offer = frame.Decode(TransferMessages.Offer);
                var profile = _profiles.Measure();
                var plan = Planner.Plan(offer.Report.State, profile, offer.Options);
                channel.Send(FrameKind.Report, Documents.CheckReport, Reports.Of(plan, offer.Report.State, profile, offer.IncludePlan));
                break;
            case FrameKind.DryRunQuery:
                channel.Send(FrameKind.Report, Documents.CheckReport, Try(frame.Decode(TransferMessages.Offer)));
                break;
            default:
                throw channel.Unexpected(frame.Kind, "a move or a question");
        }
    }

    private CheckReport Try(Offer offer)
    {
        if (_scratch is null) throw new MigrateException(ErrorCode.Unsupported, "this agent makes no scratch VMs: ask for a check without a dry run") { Stage = Stage.Plan };
        if (!_dryRuns.Wait(TimeSpan.Zero))
            throw new MigrateException(ErrorCode.Busy, $"{_options.MaxDryRuns} dry runs are in progress here already") { Stage = Stage.Plan, IsTransient = true };
        try
        {
            return DryRun.Run(offer.Report.State, _profiles.Measure(), offer.Options, _scratch, offer.IncludePlan);
        }
        finally
        {
            _dryRuns.Release();
        }
    }

    private void Move(FrameChannel channel, Hello hello)
    {
        // It tries its plan whoever asks for dry runs: they keep nobody from leaving a host, and moves are counted by themselves.
        using var move = new IncomingMove(_profiles, _launcher, _scratch, _memory);
        var session = new AgentSession(hello.HandoverId, channel, _ledger, _options, move);
        _ledger.Begin(session, _options.MaxMoves);
        try
        {
            session.Run();
        }
        finally
        {
            // In this order: whoever asks for the outcome now finds the VMM going on.
            move.Dispose();
            session.Close();
            _ledger.End(session.Id);
        }
    }
}
