using System.Diagnostics;
using Migrate.Model.Errors;
using Migrate.Transfer.Handover;
using Migrate.Transfer.Receive;

namespace Migrate.Transfer.Agent;

/// <summary>What an agent knows of handovers: the sessions that are alive, and the records of all others. Every answer about an outcome comes from here.</summary>
internal sealed class HandoverLedger(StateDirectory state, string agentId, TimeSpan patience)
{
    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(100);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, AgentSession?> _busy = [];
    private readonly ManualResetEventSlim _changed = new();

    public string AgentId => agentId;

    public RecordStore<DestinationMark> Records => state.Destination;

    public IHandoverObserver? Observer => state.Observer;

    /// <summary>The moves in progress.</summary>
    public IReadOnlyList<AgentSession> Sessions
    {
        get
        {
            lock (_gate) return [.. _busy.Values.OfType<AgentSession>()];
        }
    }

    /// <summary>Lets a session have an id that nobody has and nothing is known of.</summary>
    /// <exception cref="MigrateException">The id is known, or there are too many moves.</exception>
    public void Begin(AgentSession session, int maxMoves)
    {
        lock (_gate)
        {
            if (_busy.ContainsKey(session.Id)) throw DestinationHandover.Table.Refusal(DestinationState.Planning, DestinationEvent.Offered);
            if (_busy.Values.Count(s => s is not null) >= maxMoves)
                throw new MigrateException(ErrorCode.Busy, $"{maxMoves} moves are in progress here already") { IsTransient = true, Stage = Stage.Connect };
            if (state.Destination.Find(session.Id) is { } record)
                throw DestinationHandover.Table.Refusal(DestinationHandover.Restart(record.Mark).State, DestinationEvent.Offered);
            _busy.Add(session.Id, session);
        }
    }

    /// <summary>A session is over; its record, if there is one, says all.</summary>
    public void End(string id)
    {
        lock (_gate) _busy.Remove(id);
        _changed.Set();
    }

    /// <summary>Ends a session that has not received START: the machine stays where it is.</summary>
    /// <exception cref="MigrateException">There is no such session, or it is too late.</exception>
    public void Cancel(string id)
    {
        AgentSession? session;
        lock (_gate) _busy.TryGetValue(id, out session);
        if (session is null) throw new MigrateException(ErrorCode.NotFound, $"no move with the handover id {id} is in progress here");
        if (!DestinationHandover.Table.TryNext(session.State, DestinationEvent.CancelReceived, out _))
            throw DestinationHandover.Table.Refusal(session.State, DestinationEvent.CancelReceived);
        session.End();
        // START may have come at the same moment: what became of it is what its record says.
        var since = Stopwatch.GetTimestamp();
        while (IsBusy(id))
        {
            var left = patience - Stopwatch.GetElapsedTime(since);
            if (left <= TimeSpan.Zero)
                throw new MigrateException(ErrorCode.TimedOut, $"the move {id} was told to end and has not yet") { Stage = Stage.Handover, IsTransient = true, Remedy = "Its sender knows what becomes of it; or ask again." };
            Await(left);
        }
        if (state.Destination.Find(id)?.Mark is { } mark and not DestinationMark.Never)
            throw DestinationHandover.Table.Refusal(DestinationHandover.Restart(mark).State, DestinationEvent.CancelReceived);
    }

    /// <summary>Until a session ends; not for long, since another who waits may have taken the sign back.</summary>
    private void Await(TimeSpan left) => _changed.Wait(left < Slice ? left : Slice);

    private bool IsBusy(string id)
    {
        lock (_gate)
        {
            _changed.Reset();
            return _busy.ContainsKey(id);
        }
    }

    /// <summary>Which side runs? A session that has not received START is ended by the question: whoever asks has given its connection up.</summary>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Denied"/>: another agent is meant.</exception>
    public Outcome Outcome(OutcomeQuestion question)
    {
        if (question.AgentId != agentId)
            throw new MigrateException(ErrorCode.Denied, $"this is agent {agentId}, and the question is for agent {question.AgentId}")
            {
                Stage = Stage.Handover,
                Remedy = "Ask the agent that received the machine: an answer of another one would prove nothing.",
            };
        var since = Stopwatch.GetTimestamp();
        while (true)
        {
            AgentSession? session;
            lock (_gate)
            {
                _changed.Reset();
                if (_busy.TryAdd(question.HandoverId, null)) break;
                session = _busy[question.HandoverId];
            }
            session?.End();
            var left = patience - Stopwatch.GetElapsedTime(since);
            if (left <= TimeSpan.Zero) return Handover.Outcome.Pending;
            Await(left);
        }
        try
        {
            return Settle(question.HandoverId);
        }
        finally
        {
            End(question.HandoverId);
        }
    }

    /// <summary>Takes up what an earlier process of this agent left: a start whose outcome is not recorded.</summary>
    public void Adopt(Action<string>? report)
    {
        foreach (var id in state.Destination.Ids())
        {
            try
            {
                if (state.Destination.Find(id)?.Mark == DestinationMark.Starting) _ = Outcome(new OutcomeQuestion(id, agentId));
            }
            catch (MigrateException e)
            {
                report?.Invoke($"handover {id}: {e.Message}");
            }
        }
    }

    /// <summary>Records of starts whose outcome is open.</summary>
    /// <exception cref="MigrateException">A record cannot be read.</exception>
    public IReadOnlyList<HandoverRecord<DestinationMark>> Unsettled() =>
        [.. state.Destination.Ids().Select(state.Destination.Find).OfType<HandoverRecord<DestinationMark>>().Where(record => record.Mark == DestinationMark.Starting)];

    /// <summary>The answer out of the record alone, for an id that no session has.</summary>
    private Outcome Settle(string id)
    {
        var record = state.Destination.Find(id);
        var (at, act) = DestinationHandover.Restart(record?.Mark);
        var occurred = act == DestinationAct.Inspect
            ? MachineInspector.Destination(record!, patience) switch
            {
                MachineFinding.Running => DestinationEvent.FoundRunning,
                MachineFinding.NotStarted => DestinationEvent.FoundNotStarted,
                MachineFinding.Gone => DestinationEvent.FoundGone,
                _ => DestinationEvent.OutcomeAsked,
            }
            : DestinationEvent.OutcomeAsked;
        var row = DestinationHandover.Table.Next(at, occurred);
        if (row.Record is { } mark)
            state.Destination.Write((record ?? new HandoverRecord<DestinationMark> { Id = id, Mark = mark, AgentId = agentId, Time = "" }) with { Mark = mark });
        Observer?.Reached(HandoverPoints.Entry(HandoverPoints.Destination, row.To));
        return row.To switch
        {
            DestinationState.Running => Handover.Outcome.Running,
            DestinationState.Never => Handover.Outcome.Never,
            DestinationState.Recovering => Handover.Outcome.Pending,
            _ => Handover.Outcome.Unknown,
        };
    }
}
