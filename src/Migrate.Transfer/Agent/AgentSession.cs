using Migrate.Model;
using Migrate.Model.Encoding;
using Migrate.Model.Errors;
using Migrate.Transfer.Handover;
using Migrate.Transfer.Receive;
using Migrate.Transfer.Wire;

namespace Migrate.Transfer.Agent;

/// <summary>One move, seen from the destination: performs what <see cref="DestinationHandover"/> says, on its own thread.</summary>
internal sealed class AgentSession
{
    private readonly Lock _gate = new();
    private readonly FrameChannel _channel;
    private readonly HandoverLedger _ledger;
    private readonly AgentOptions _options;
    private readonly IncomingMove _move;
    private volatile DestinationState _state = DestinationState.Waiting;
    private MigrateException? _problem;
    private int _round;
    private bool _isOver;

    public AgentSession(string id, FrameChannel channel, HandoverLedger ledger, AgentOptions options, IncomingMove move)
    {
        Id = id;
        _channel = channel;
        _ledger = ledger;
        _options = options;
        _move = move;
    }

    /// <summary>The handover's id.</summary>
    public string Id { get; }

    public DestinationState State => _state;

    public AgentMove Status => new(
        Id, Shapes.OneLine(_move.MachineName), _channel.Name, _state, (ulong)_move.Counts.Pages, (ulong)_move.Counts.Bytes);

    /// <summary>Ends the session's connection, from any thread: it counts as lost.</summary>
    public void End()
    {
        lock (_gate)
            if (!_isOver) _channel.Abort();
    }

    /// <summary>From here on the connection may be closed: nobody ends it any more.</summary>
    public void Close()
    {
        lock (_gate) _isOver = true;
    }

    /// <summary>Performs the move to its end. What went wrong is told to the sender and thrown once all is settled.</summary>
    public void Run()
    {
        _ledger.Observer?.Reached(HandoverPoints.Entry(HandoverPoints.Destination, _state));
        var occurred = Attempt(Greet);
        while (true)
        {
            var act = Take(occurred);
            var next = Attempt(() => Perform(act));
            if (DestinationHandover.IsEnd(_state)) break;
            occurred = next ?? Attempt(Await);
        }
        if (_problem is not null) throw _problem;
    }

    /// <summary>One step of the table: record, state. An event that the state refuses ends the session in order.</summary>
    private DestinationAct Take(DestinationEvent? occurred)
    {
        var what = occurred ?? DestinationEvent.Fault;
        if (!DestinationHandover.Table.TryNext(_state, what, out var row))
        {
            _problem ??= DestinationHandover.Table.Refusal(_state, what);
            row = DestinationHandover.Table.Next(_state, DestinationEvent.Fault);
        }
        if (row.Record is { } mark)
        {
            try
            {
                Write(mark);
            }
            catch (MigrateException e) when (what != DestinationEvent.Fault && DestinationHandover.Table.TryNext(_state, DestinationEvent.Fault, out _))
            {
                // What rests on the record is not done.
                _problem ??= e;
                return Take(DestinationEvent.Fault);
            }
        }
        _state = row.To;
        _ledger.Observer?.Reached(HandoverPoints.Entry(HandoverPoints.Destination, row.To));
        return row.Then;
    }

    private DestinationEvent? Greet()
    {
        _channel.Send(FrameKind.Welcome, TransferMessages.Welcome, new Welcome(_ledger.AgentId, Environment.MachineName));
        using (Deadline.Set(_channel, _options.IdleTimeout)) _move.Take(_channel.Expect(FrameKind.Offer, TransferMessages.Offer));
        return DestinationEvent.Offered;
    }

    private DestinationEvent? Perform(DestinationAct act)
    {
        switch (act)
        {
            case DestinationAct.Plan:
                return _move.Plan() ? DestinationEvent.PlanYes : DestinationEvent.PlanNo;
            case DestinationAct.Prepare:
                return _move.Prepare(_channel, () => _ledger.Records.Try(Id)) ? DestinationEvent.Prepared : DestinationEvent.PrepareFailed;
            case DestinationAct.SendReady:
                Blame.Peer(() => _channel.Send(FrameKind.Ready, Documents.CheckReport, _move.Report!));
                return null;
            case DestinationAct.SendRoundAck:
                Blame.Peer(() => _channel.Send(FrameKind.RoundAck, TransferMessages.Round, _round));
                return null;
            case DestinationAct.Apply:
                return _move.Apply() ? DestinationEvent.AppliedAll : DestinationEvent.ApplyFailed;
            case DestinationAct.SendApplied:
                Blame.Peer(() => _channel.Send(FrameKind.Applied, TransferMessages.Applied, _move.Applied!));
                _channel.IdleTimeout = _options.StartTimeout;
                return null;
            case DestinationAct.StartMachine:
                return Start();
            case DestinationAct.Inspect:
                return Inspect();
            case DestinationAct.SendRunning:
                Blame.Peer(() => _channel.Send(FrameKind.Running, TransferMessages.Handover, Id));
                return null;
            case DestinationAct.SendRefused:
                _move.Dispose();
                _problem ??= _move.Failure;
                Blame.Peer(() => _channel.Send(FrameKind.Refused, TransferMessages.Refusal, _move.Refusal()));
                return null;
            case DestinationAct.DestroyIncoming:
                _move.Dispose();
                if (_problem is not null) _channel.TrySendError(_problem);
                return null;
            default:
                return null;
        }
    }

    /// <summary>The sender's next word.</summary>
    private DestinationEvent? Await()
    {
        while (true)
        {
            var header = NextHeader();
            if (_state == DestinationState.Receiving && _move.Receive(header)) continue;
            switch (header.Kind)
            {
                case FrameKind.RoundEnd when _state == DestinationState.Receiving:
                    _round = Blame.Peer(() => _channel.ReceiveRest(header).Decode(TransferMessages.Round));
                    return DestinationEvent.RoundEnded;
                case FrameKind.Final when _state == DestinationState.Receiving:
                    _move.Final = Blame.Peer(() => _channel.ReceiveRest(header).Decode(TransferMessages.Final));
                    return DestinationEvent.FinalReceived;
                case FrameKind.Start when _state == DestinationState.Applied:
                    var id = Blame.Peer(() => _channel.ReceiveRest(header).Decode(TransferMessages.Handover));
                    if (id != Id) throw new PeerProblem(new MigrateException(ErrorCode.Protocol, $"{_channel.Name} said START for the handover {Shapes.OneLine(id)}; this is {Id}"));
                    return DestinationEvent.StartReceived;
                case FrameKind.Cancel:
                    _problem ??= new MigrateException(ErrorCode.Cancelled, $"{_channel.Name} cancelled the move") { Stage = Stage.PreCopy };
                    return DestinationEvent.CancelReceived;
                default:
                    throw new PeerProblem(_channel.Unexpected(header.Kind, $"something else in state {KebabCase.Of(_state.ToString())}"));
            }
        }
    }

    private DestinationEvent Start()
    {
        try
        {
            _move.Start(Id);
            return DestinationEvent.Started;
        }
        catch (PeerErrorException e)
        {
            _problem ??= e;
            return DestinationEvent.StartRefused;
        }
        catch (MigrateException e)
        {
            _problem ??= e;
            return DestinationEvent.MachineLost;
        }
    }

    private DestinationEvent Inspect()
    {
        _move.Dispose();
        var record = new HandoverRecord<DestinationMark>
        {
            Id = Id,
            Mark = DestinationMark.Starting,
            MachineSocket = _move.SocketPath,
            MachinePid = _move.Pid,
            Time = "",
        };
        switch (MachineInspector.Destination(record, _options.OutcomePatience))
        {
            case MachineFinding.Running:
                _problem = null;
                return DestinationEvent.FoundRunning;
            case MachineFinding.NotStarted:
                return DestinationEvent.FoundNotStarted;
            case MachineFinding.Gone:
                return DestinationEvent.FoundGone;
            default:
                return DestinationEvent.Fault;
        }
    }

    /// <summary>What goes wrong becomes an event: the sender's doing, the VMM's, or this side's.</summary>
    private DestinationEvent? Attempt(Func<DestinationEvent?> act)
    {
        try
        {
            return act();
        }
        catch (PeerProblem e)
        {
            _problem ??= e.Error;
            return e.Error is Linux.Sockets.PeerTimedOutException && _state == DestinationState.Applied ? DestinationEvent.TimeIsOver : DestinationEvent.PeerLost;
        }
        catch (MachineProblem e)
        {
            _problem ??= e.Error;
            return DestinationEvent.MachineLost;
        }
        catch (MigrateException e)
        {
            _problem ??= e;
            return _state == DestinationState.Waiting ? DestinationEvent.PeerLost : DestinationEvent.Fault;
        }
        catch (Exception e)
        {
            // A defect costs this move, not the agent; and a move that is not settled would be worse than the defect.
            _problem ??= new MigrateException(ErrorCode.System, $"the move failed: {e.GetType().Name}: {e.Message}", e);
            return DestinationEvent.Fault;
        }
    }

    private void Write(DestinationMark mark) => _ledger.Records.Write(new HandoverRecord<DestinationMark>
    {
        Id = Id,
        Mark = mark,
        VmId = _move.MachineId,
        VmName = Shapes.OneLine(_move.MachineName),
        MachineSocket = _move.SocketPath,
        MachinePid = _move.Pid,
        AgentId = _ledger.AgentId,
        Time = "",
    });

    /// <summary>Apart from <see cref="Blame"/>, since it is called for every frame of pages.</summary>
    private FrameHeader NextHeader()
    {
        try
        {
            return _channel.ReceiveHeader();
        }
        catch (MigrateException e)
        {
            throw new PeerProblem(e);
        }
    }
}
