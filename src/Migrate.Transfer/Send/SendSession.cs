using System.Diagnostics;
using Migrate.Linux.Files;
using Migrate.Model.Encoding;
using Migrate.Model.Errors;
using Migrate.Model.Ports;
using Migrate.Transfer.Handover;
using Migrate.Transfer.Machines;
using Migrate.Transfer.Wire;

namespace Migrate.Transfer.Send;

/// <summary>One move, seen from the source: what it does while nothing is released, and how it ends.</summary>
internal sealed partial class SendSession : SourceDriver, IDisposable
{
    private readonly SendOptions _options;
    private readonly MachineClient _machine;
    private readonly MachineReport _report;
    private readonly FrameChannel _channel;
    private readonly OwnerLock _held;
    private readonly CancellationToken _cancelled;
    private readonly long _began = Stopwatch.GetTimestamp();
    private CancellationTokenRegistration _abort;
    private SourceSession? _session;

    private SendSession(
        SendOptions options, HandoverRecord<SourceMark> record, MachineClient machine, MachineReport report, FrameChannel channel, OwnerLock held,
        Action<SendEvent>? progress, CancellationToken cancelled)
        : base(options.State, record, options.OutcomeTimeout, progress)
    {
        _options = options;
        _machine = machine;
        _report = report;
        _channel = channel;
        _held = held;
        _cancelled = cancelled;
    }

    /// <summary>Reaches both sides; nothing is begun yet.</summary>
    public static SendSession Open(SendOptions options, Action<SendEvent>? progress, CancellationToken cancelled)
    {
        options.Validate();
        var machine = MachineClient.Connect(options.MachineSocket);
        try
        {
            var report = machine.Describe();
            var vm = report.State.Vm;
            var record = new HandoverRecord<SourceMark>
            {
                Id = HandoverId.New(),
                Mark = SourceMark.Begun,
                VmId = vm.Id,
                VmName = Shapes.OneLine(vm.Name),
                MachineSocket = Path.GetFullPath(options.MachineSocket),
                MachinePid = machine.Status().Pid,
                AgentAddress = options.AgentAddress,
                Time = "",
            };
            var channel = AgentClient.Connect(options.Host, options.Port, options.ConnectTimeout);
            try
            {
                return new SendSession(options, record, machine, report, channel, options.State.Source.Hold(record.Id), progress, cancelled);
            }
            catch
            {
                channel.Dispose();
                throw;
            }
        }
        catch
        {
            machine.Dispose();
            throw;
        }
    }

    /// <summary>Performs the move.</summary>
    /// <exception cref="MigrateException">It did not come about; <see cref="MigrateException.SourceRuns"/> says what of the source.</exception>
    public SendReport Send()
    {
        try
        {
            // A cancelled move ends a blocked send or receive too; from the release on the registration is gone.
            _abort = _cancelled.UnsafeRegister(static channel => ((FrameChannel)channel!).Abort(), _channel);
            Run(SourceState.Connecting, SourceAct.Nothing);
        }
        finally
        {
            _abort.Dispose();
        }
        switch (State)
        {
            case SourceState.Done:
                var report = Report();
                Progress?.Invoke(new DoneEvent(report));
                return report;
            case SourceState.Kept:
                throw Kept();
            default:
                throw Unknown();
        }
    }

    public void Dispose()
    {
        _session?.Dispose();
        _machine.Dispose();
        _channel.Dispose();
        _held.Dispose();
    }

    protected override SourceEvent Filter(SourceEvent occurred)
    {
        if (SourceHandover.MayBeReleased(State)) return occurred;
        if (_cancelled.IsCancellationRequested)
        {
            Problem = new MigrateException(ErrorCode.Cancelled, "cancelled by the operator");
            return SourceEvent.Cancel;
        }
        // The step after this one cannot be taken back: whoever cancels from here on is too late.
        if (occurred == SourceEvent.Applied)
        {
            _abort.Dispose();
            if (_cancelled.IsCancellationRequested) return Filter(occurred);
        }
        return occurred;
    }

    protected override SourceEvent? Perform(SourceAct act)
    {
        switch (act)
        {
            case SourceAct.SendOffer:
                Blame.Peer(() => _channel.Send(FrameKind.Offer, TransferMessages.Offer, new Offer
                {
                    Report = _report,
                    Policy = _options.Policy,
                    Accept = _options.Accept,
                    AcceptAssumed = _options.AcceptAssumed,
                }));
                return null;
            case SourceAct.CopyRounds:
                return CopyRounds();
            case SourceAct.StopMachine:
                return StopMachine();
            case SourceAct.ReleaseMachine:
                return ReleaseMachine();
            case SourceAct.SendStart:
                Blame.Peer(() => _channel.Send(FrameKind.Start, TransferMessages.Handover, Record.Id));
                return SourceEvent.StartWritten;
            case SourceAct.EndSessions:
                EndSessions();
                return null;
            case SourceAct.AskOutcome or SourceAct.Inspect:
                // From here on the agent is asked on connections of their own.
                _channel.Abort();
                return base.Perform(act);
            case SourceAct.DestroyMachine:
                _downtime = _downtime with { Start = Microseconds(ref _mark) };
                Progress?.Invoke(new RunningEvent());
                return base.Perform(act);
            default:
                return base.Perform(act);
        }
    }

    protected override SourceEvent? Await()
    {
        switch (State)
        {
            case SourceState.Connecting:
                // It was reached; a busy host may take its time for the rest.
                _channel.IdleTimeout = _options.ReplyTimeout;
                Blame.Peer(() => _channel.Request(() => _channel.Send(FrameKind.Hello, TransferMessages.Hello, new Hello(Record.Id))));
                var welcome = Blame.Peer(() => _channel.Expect(FrameKind.Welcome, TransferMessages.Welcome));
                Record = Record with { AgentId = welcome.AgentId };
                Progress?.Invoke(new ConnectedEvent(Record.Id, Record.VmName, Record.AgentAddress, welcome.AgentId, welcome.HostName));
                return SourceEvent.Welcomed;
            case SourceState.Preparing:
                return Answer(FrameKind.Ready, () =>
                {
                    var report = _channel.ReceiveRest(_header).Decode(Documents.CheckReport);
                    Progress?.Invoke(new VerdictEvent(report));
                    return SourceEvent.Ready;
                });
            case SourceState.AwaitingApplied:
                return Answer(FrameKind.Applied, () => TakeApplied(_channel.ReceiveRest(_header).Decode(TransferMessages.Applied)));
            case SourceState.StartSent:
                return Answer(FrameKind.Running, () =>
                {
                    var id = _channel.ReceiveRest(_header).Decode(TransferMessages.Handover);
                    return id == Record.Id
                        ? SourceEvent.Running
                        : throw new MigrateException(ErrorCode.Protocol, $"{_channel.Name} says that the handover {Shapes.OneLine(id)} runs; this is {Record.Id}");
                });
            default:
                throw new InvalidOperationException($"nothing is awaited in state {State}");
        }
    }

    protected override SourceEvent Meaning(Exception error)
    {
        switch (error)
        {
            case PeerProblem peer:
                Problem ??= peer.Error;
                return SourceEvent.PeerLost;
            case MachineProblem machine:
                Problem ??= machine.Error;
                return SourceEvent.MachineLost;
            case OperationCanceledException:
                return SourceEvent.Cancel;
            default:
                return base.Meaning(error);
        }
    }

    private FrameHeader _header;

    /// <summary>The agent's next frame: what is awaited, or a refusal.</summary>
    private SourceEvent Answer(FrameKind expected, Func<SourceEvent> take) => Blame.Peer(() =>
    {
        _header = _channel.ReceiveHeader();
        if (_header.Kind == expected) return take();
        if (_header.Kind != FrameKind.Refused) throw _channel.Unexpected(_header.Kind, FrameTable.NameOf(expected));
        Problem = new RefusedException(_channel.Name, _channel.ReceiveRest(_header).Decode(TransferMessages.Refusal));
        return SourceEvent.Refused;
    });

    private SourceEvent ReleaseMachine()
    {
        try
        {
            _session!.Release(Record.Id);
            Progress?.Invoke(new ReleasedEvent());
            return SourceEvent.ReleaseAccepted;
        }
        catch (PeerErrorException e)
        {
            Problem ??= e;
            return SourceEvent.ReleaseRefused;
        }
        catch (MigrateException e)
        {
            Problem ??= e;
            _session!.Dispose();
            return SourceEvent.MachineLost;
        }
    }

    /// <summary>The VMM's session ends, and with it the log, the throttle and the stop; then the agent is told, if it still listens.</summary>
    private void EndSessions()
    {
        _session?.Dispose();
        try
        {
            if (!_channel.IsBroken) _channel.Send(FrameKind.Cancel, TransferMessages.Handover, Record.Id);
        }
        catch (MigrateException)
        {
            // It learns the same from the end of the connection.
        }
        _channel.Abort();
    }

    private MigrateException Kept()
    {
        if (Problem is RefusedException refused) return refused;
        var code = Problem?.Code ?? ErrorCode.System;
        var runs = Problem is { Code: ErrorCode.PeerLost or ErrorCode.Unreachable or ErrorCode.TimedOut } && Find() != MachineFinding.Here ? (bool?)null : true;
        return Failure(code, $"{Record.VmName} was not moved: {Problem?.Message}", runs);
    }
}
