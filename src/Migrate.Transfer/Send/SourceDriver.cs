using System.Diagnostics;
using Migrate.Model;
using Migrate.Model.Errors;
using Migrate.Transfer.Handover;
using Migrate.Transfer.Machines;
using Migrate.Transfer.Wire;

namespace Migrate.Transfer.Send;

/// <summary>Performs what <see cref="SourceHandover"/> says. Here is what a sender and a resolver have in common: all that follows once a machine may be released.</summary>
internal abstract class SourceDriver(StateDirectory state, HandoverRecord<SourceMark> record, TimeSpan outcomeTimeout, Action<SendEvent>? progress)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestInspection = TimeSpan.FromSeconds(5);

    // One question may take as long as the agent waits for a session to end, and some.
    private static readonly TimeSpan QuestionTimeout = TimeSpan.FromSeconds(10);

    private long _askingSince;
    private int _attempts;
    private string _lastAnswer = "";
    private TimeSpan _pause = FirstPause;

    /// <summary>Where it stands.</summary>
    public SourceState State { get; private set; }

    /// <summary>What is, or will be, written down.</summary>
    public HandoverRecord<SourceMark> Record { get; protected set; } = record;

    /// <summary>The first thing that went wrong.</summary>
    public MigrateException? Problem { get; protected set; }

    /// <summary>Something that the operator should know although all went well.</summary>
    public string Note { get; protected set; } = "";

    protected Action<SendEvent>? Progress => progress;

    /// <summary>Goes on until the table knows an end.</summary>
    /// <param name="from">The state to begin in.</param>
    /// <param name="act">What is done in it first.</param>
    protected void Run(SourceState from, SourceAct act)
    {
        if (State != from) Enter(from);
        while (true)
        {
            var occurred = Attempt(() => Perform(act));
            if (SourceHandover.IsEnd(State)) return;
            act = Take(occurred ?? Attempt(Await) ?? SourceEvent.Fault);
        }
    }

    /// <summary>One step of the table: record, state.</summary>
    protected SourceAct Take(SourceEvent occurred)
    {
        var row = Row(Filter(occurred));
        if (row.Record is { } mark)
        {
            try
            {
                Record = state.Source.Write(Record with { Mark = mark });
            }
            catch (MigrateException e) when (!SourceHandover.MayBeReleased(State) && row.On != SourceEvent.Fault)
            {
                // What rests on the record is not done; the machine was not released.
                Problem ??= e;
                return Take(SourceEvent.Fault);
            }
            catch (MigrateException e) when (row.To is SourceState.Kept or SourceState.RunningThere or SourceState.Done)
            {
                // It is so, whether it is written down or not: an older record leads a resolver to the same end.
                Note = $"the record of this could not be written: {e.Message}";
            }
        }
        Enter(row.To);
        return row.Then;
    }

    /// <summary>The row of an event. One that the state refuses is the failure of whoever caused it, and the table knows what follows from that.</summary>
    private Transition<SourceState, SourceEvent, SourceMark, SourceAct> Row(SourceEvent occurred)
    {
        ReadOnlySpan<SourceEvent> instead = [occurred, SourceEvent.Fault, SourceEvent.PeerLost, SourceEvent.MachineLost];
        foreach (var candidate in instead)
        {
            if (SourceHandover.Table.TryNext(State, candidate, out var row)) return row;
            Problem ??= SourceHandover.Table.Refusal(State, candidate);
        }
        throw SourceHandover.Table.Refusal(State, occurred);
    }

    /// <summary>The last word on an event before the table sees it.</summary>
    protected virtual SourceEvent Filter(SourceEvent occurred) => occurred;

    /// <summary>What the peer says next.</summary>
    protected abstract SourceEvent? Await();

    /// <summary>Performs an act; the event that it ends in, or null when the peer's word is awaited.</summary>
    protected virtual SourceEvent? Perform(SourceAct act) => act switch
    {
        SourceAct.Nothing => null,
        SourceAct.AskOutcome => AskOutcome(),
        SourceAct.TellAgent => TellAgent(),
        SourceAct.Inspect => Inspect(),
        SourceAct.DestroyMachine => DestroyMachine(),
        SourceAct.ResumeMachine => ResumeMachine(),
        _ => throw new InvalidOperationException($"{act} is not an act of this driver"),
    };

    /// <summary>What an exception means.</summary>
    protected virtual SourceEvent Meaning(Exception error)
    {
        Problem ??= error as MigrateException ?? new MigrateException(ErrorCode.System, $"the move failed: {error.GetType().Name}: {error.Message}", error);
        return SourceEvent.Fault;
    }

    /// <summary>The exception for an end that is not the one that was wanted.</summary>
    protected MigrateException Failure(ErrorCode code, string message, bool? sourceRuns, string? remedy = null) =>
        new(code, message, Problem) { Stage = Problem?.Stage is { } stage and not Stage.None ? stage : Stage.Handover, SourceRuns = sourceRuns, Remedy = remedy ?? Problem?.Remedy };

    /// <summary>The exception for <see cref="SourceState.Unknown"/>.</summary>
    protected MigrateException Unknown() => Failure(
        ErrorCode.OutcomeUnknown,
        $"whether {Record.VmName} runs on the agent's host {Record.AgentAddress} cannot be proven{(_lastAnswer.Length > 0 ? $": {_lastAnswer}" : "")}",
        sourceRuns: null,
        $"When the agent answers again: vmmigrate resolve {Record.Id}. If you know that it does not run there: resolve {Record.Id} --run-here.");

    private void Enter(SourceState to)
    {
        State = to;
        state.Observer?.Reached(HandoverPoints.Entry(HandoverPoints.Source, to));
    }

    private SourceEvent? Attempt(Func<SourceEvent?> act)
    {
        try
        {
            return act();
        }
        catch (Exception e)
        {
            return Meaning(e);
        }
    }

    private SourceEvent AskOutcome()
    {
        if (_attempts++ == 0) _askingSince = Stopwatch.GetTimestamp();
        else
        {
            var left = outcomeTimeout - Stopwatch.GetElapsedTime(_askingSince);
            // What is less than a sleep can be long would be spent asking without a pause.
            if (left <= TimeSpan.FromMilliseconds(1)) return SourceEvent.TimeIsOver;
            Thread.Sleep(left < _pause ? left : _pause);
            _pause = TimeSpan.FromTicks(Math.Min(_pause.Ticks * 2, LongestPause.Ticks));
        }
        progress?.Invoke(new AskingEvent(_attempts, _lastAnswer));
        return Ask();
    }

    private SourceEvent Ask()
    {
        try
        {
            var (host, port) = AgentAddresses.Parse(Record.AgentAddress);
            var outcome = new AgentClient(host, port) { Timeout = QuestionTimeout }.Outcome(Record.Id, Record.AgentId);
            _lastAnswer = $"the agent answers {KebabCase.Of(outcome.ToString())}";
            return outcome switch
            {
                Outcome.Running => SourceEvent.OutcomeRunning,
                Outcome.Never => SourceEvent.OutcomeNever,
                Outcome.Pending => SourceEvent.OutcomePending,
                _ => SourceEvent.OutcomeUnknown,
            };
        }
        catch (PeerErrorException e) when (e.Code == ErrorCode.Denied)
        {
            _lastAnswer = Model.Encoding.Shapes.OneLine(e.Message, 1024);
            return SourceEvent.Refused;
        }
        catch (MigrateException e)
        {
            _lastAnswer = Model.Encoding.Shapes.OneLine(e.Message, 1024);
            return SourceEvent.PeerLost;
        }
    }

    /// <summary>So that the agent records never as well; the machine is here whatever it says.</summary>
    private SourceEvent? TellAgent()
    {
        if (Record.AgentId.Length > 0) Ask();
        return null;
    }

    private SourceEvent Inspect() => MachineInspector.Source(Record, outcomeTimeout < LongestInspection ? outcomeTimeout : LongestInspection) switch
    {
        MachineFinding.Here => SourceEvent.FoundHere,
        MachineFinding.Released => SourceEvent.FoundReleased,
        MachineFinding.Gone => SourceEvent.FoundGone,
        _ => throw new MigrateException(ErrorCode.Busy, $"a session still holds the machine at {Record.MachineSocket}")
        {
            IsTransient = true,
            Remedy = $"Wait for it to end, then vmmigrate resolve {Record.Id}.",
        },
    };

    /// <summary>What the VMM says of the machine, once no session holds it.</summary>
    protected MachineFinding Find() => MachineInspector.Source(Record, LongestInspection);

    private bool IsOurs(MachineStatus status) => status.Pid == Record.MachinePid && status.VmId == Record.VmId;

    /// <summary>Whether a failed request means that the VMM is gone: one that does not answer may be stopped or swapped out.</summary>
    private bool IsGone(MigrateException failure) => failure is not PeerErrorException && Find() == MachineFinding.Gone;

    private SourceEvent DestroyMachine()
    {
        try
        {
            using var client = MachineClient.Connect(Record.MachineSocket);
            if (client.Status() is { } status && (!IsOurs(status) || status.State == LifecycleState.Destroyed)) return SourceEvent.MachineLost;
            client.Destroy(Record.Id);
            return SourceEvent.Destroyed;
        }
        catch (MigrateException e)
        {
            if (IsGone(e)) return SourceEvent.MachineLost;
            Note = $"the source's copy could not be destroyed: {e.Message}; it stays released, and vmmigrate resolve {Record.Id} tries again";
            return SourceEvent.Fault;
        }
    }

    private SourceEvent ResumeMachine()
    {
        try
        {
            using var client = MachineClient.Connect(Record.MachineSocket);
            if (!IsOurs(client.Status())) return Gone();
            try
            {
                client.ResumeReleased(Record.Id);
            }
            catch (PeerErrorException) when (client.Status().State is LifecycleState.Running or LifecycleState.Paused or LifecycleState.Logging)
            {
                // Somebody gave the id before: it is what was wanted.
            }
            return SourceEvent.Resumed;
        }
        catch (MigrateException e)
        {
            if (IsGone(e)) return Gone();
            Problem = e;
            return SourceEvent.Fault;
        }

        SourceEvent Gone()
        {
            _lastAnswer = $"it never runs there, and its VMM at {Record.MachineSocket} is gone";
            return SourceEvent.MachineLost;
        }
    }
}
