using Migrate.Transfer.Receive;
using Migrate.Transfer.Send;
using DestinationRow = Migrate.Transfer.Handover.Transition<
    Migrate.Transfer.Receive.DestinationState, Migrate.Transfer.Receive.DestinationEvent,
    Migrate.Transfer.Receive.DestinationMark, Migrate.Transfer.Receive.DestinationAct>;
using SourceRow = Migrate.Transfer.Handover.Transition<
    Migrate.Transfer.Send.SourceState, Migrate.Transfer.Send.SourceEvent, Migrate.Transfer.Send.SourceMark, Migrate.Transfer.Send.SourceAct>;

namespace Migrate.Tests.Transfer.Handover;

/// <summary>The machine at the source, as its VMM promises to treat it.</summary>
internal enum SourceMachine : byte
{
    Running, Logging, Quiesced, ReleaseInFlight, Released, ResumeInFlight, Destroyed,
}

/// <summary>The machine at the destination, as its VMM promises to treat it.</summary>
internal enum DestinationMachine : byte
{
    Waiting, Built, Applied, StartInFlight, Running, Gone,
}

/// <summary>What one driver is about to do: nothing, write the record of a row, or perform an act.</summary>
internal enum Phase : byte
{
    Idle, Record, Act,
}

/// <summary>Both sides, both VMMs, both disks and the network between them.</summary>
/// <param name="ToDestination">Messages under way: o(ffer), f(inal), s(tart).</param>
/// <param name="ToSource">Messages under way: r(eady), a(pplied), u (running), n(o).</param>
/// <param name="StartWritten">START was written once: an evil network may replay the session.</param>
internal readonly record struct World(
    SourceState Source, SourceEvent SourceOn, Phase SourcePhase, SourceAct SourceDoes, bool SourceLives, SourceMark SourceRecord, SourceMachine Here,
    DestinationState Destination, DestinationEvent DestinationOn, Phase DestinationPhase, DestinationAct DestinationDoes, bool DestinationLives,
    bool Session, DestinationMark DestinationRecord, DestinationMachine There,
    bool Connected, string ToDestination, string ToSource, bool StartWritten)
{
    public bool RunsHere => Here is SourceMachine.Running or SourceMachine.Logging;

    /// <summary>It runs here, or its VMM is about to notice that the session is lost and runs it again.</summary>
    public bool KeptHere => RunsHere || Here == SourceMachine.Quiesced;

    public bool RunsThere => There == DestinationMachine.Running;

    public static World Start { get; } = new(
        SourceState.Connecting, 0, Phase.Idle, 0, true, 0, SourceMachine.Running,
        DestinationState.Waiting, 0, Phase.Idle, 0, true, true, 0, DestinationMachine.Waiting,
        true, "", "", false);
}

/// <summary>Every step that the world can take: the two tables, the VMMs' promises, lost messages, lost connections, crashes and restarts at every point.</summary>
internal sealed class HandoverModel(IEnumerable<SourceRow> source, IEnumerable<DestinationRow> destination)
{
    private readonly Dictionary<(SourceState, SourceEvent), SourceRow> _source = source.ToDictionary(r => (r.From, r.On));
    private readonly Dictionary<(DestinationState, DestinationEvent), DestinationRow> _destination = destination.ToDictionary(r => (r.From, r.On));
    private List<(World World, bool IsFault)> _next = [];

    /// <summary>All successors; a fault is a step that a world without bad luck does not take.</summary>
    public List<(World World, bool IsFault)> Next(World w)
    {
        _next = [];
        if (w.SourceLives) SourceSteps(w);
        else if (w.SourceRecord != 0) Go(Restarted(w));
        if (w.Source == SourceState.Unknown && w.SourcePhase == Phase.Idle && w.SourceLives) Go(Restarted(w));
        if (w.DestinationLives) DestinationSteps(w);
        else
        {
            var (state, act) = DestinationHandover.Restart(w.DestinationRecord == 0 ? null : w.DestinationRecord);
            Go(w with { DestinationLives = true, Session = false, Destination = state, DestinationPhase = act == 0 ? Phase.Idle : Phase.Act, DestinationDoes = act });
        }
        MachineSteps(w);
        NetworkSteps(w);
        return _next;
    }

    private static World Restarted(World w)
    {
        var (state, act) = SourceHandover.Restart(w.SourceRecord);
        return w with { SourceLives = true, Source = state, SourcePhase = act == 0 ? Phase.Idle : Phase.Act, SourceDoes = act, Connected = false };
    }

    private void Go(World w, bool isFault = false) => _next.Add((w, isFault));

    /// <summary>An event at the source: its row's record is next, or its act; without a row nothing happens.</summary>
    private void At(World w, SourceEvent occurred, bool isFault = false)
    {
        if (!_source.TryGetValue((w.Source, occurred), out var row)) return;
        Go(w with { SourceOn = occurred, SourcePhase = Phase.Record, SourceDoes = row.Then }, isFault);
    }

    private void At(World w, DestinationEvent occurred, bool isFault = false)
    {
        if (!_destination.TryGetValue((w.Destination, occurred), out var row)) return;
        Go(w with { DestinationOn = occurred, DestinationPhase = Phase.Record, DestinationDoes = row.Then }, isFault);
    }

    private void SourceSteps(World w)
    {
        // Killed: the connection ends; what the VMM has not read yet of the machine socket it may still read.
        var dead = w with { SourceLives = false, SourcePhase = Phase.Idle, Connected = false, ToSource = "" };
        Go(dead, isFault: true);
        if (w.SourcePhase == Phase.Act && w is { SourceDoes: SourceAct.ReleaseMachine, Here: SourceMachine.Quiesced })
            Go(dead with { Here = SourceMachine.ReleaseInFlight }, isFault: true);
        if (w.SourcePhase == Phase.Act && w is { SourceDoes: SourceAct.ResumeMachine, Here: SourceMachine.Released })
            Go(dead with { Here = SourceMachine.ResumeInFlight }, isFault: true);
        switch (w.SourcePhase)
        {
            case Phase.Record:
                var row = _source[(w.Source, w.SourceOn)];
                Go(w with { Source = row.To, SourceRecord = row.Record ?? w.SourceRecord, SourcePhase = Phase.Act });
                return;
            case Phase.Act:
                Perform(w with { SourcePhase = Phase.Idle, SourceDoes = 0 }, w.SourceDoes);
                return;
        }
        if (w.Source == SourceState.Connecting) At(w with { Here = SourceMachine.Logging }, SourceEvent.Welcomed);
        if (w.Source == SourceState.Copying) At(w, SourceEvent.Converged);
        if (w.Source <= SourceState.AwaitingApplied)
        {
            At(w, SourceEvent.Cancel, isFault: true);
            At(w, SourceEvent.Fault, isFault: true);
        }
        if (w.ToSource.Length > 0)
        {
            var rest = w with { ToSource = w.ToSource[1..] };
            var occurred = w.ToSource[0] switch { 'r' => SourceEvent.Ready, 'a' => SourceEvent.Applied, 'u' => SourceEvent.Running, _ => SourceEvent.Refused };
            if (_source.ContainsKey((w.Source, occurred))) At(rest, occurred);
            else Go(rest);
        }
        else if (!w.Connected)
        {
            At(w, SourceEvent.PeerLost);
        }
    }

    private void Perform(World w, SourceAct act)
    {
        switch (act)
        {
            case SourceAct.SendOffer:
                Go(w with { ToDestination = w.ToDestination + (w.Connected ? "o" : "") });
                break;
            case SourceAct.StopMachine:
                At(w with { Here = SourceMachine.Quiesced, ToDestination = w.ToDestination + (w.Connected ? "f" : "") }, SourceEvent.StateSent);
                break;
            case SourceAct.ReleaseMachine when w.Here == SourceMachine.Quiesced:
                At(w with { Here = SourceMachine.Released }, SourceEvent.ReleaseAccepted);
                At(w, SourceEvent.ReleaseRefused, isFault: true);
                At(w with { Here = SourceMachine.Released }, SourceEvent.MachineLost, isFault: true);
                At(w with { Here = SourceMachine.Running }, SourceEvent.MachineLost, isFault: true);
                break;
            case SourceAct.ReleaseMachine:
                At(w, SourceEvent.ReleaseRefused);
                break;
            case SourceAct.SendStart:
                if (w.Connected) At(w with { ToDestination = w.ToDestination + "s", StartWritten = true }, SourceEvent.StartWritten);
                else At(w, SourceEvent.PeerLost);
                break;
            case SourceAct.AskOutcome:
                Ask(w with { Connected = false });
                break;
            case SourceAct.TellAgent:
                foreach (var (answered, _) in Answers(w)) Go(answered);
                Go(w, isFault: true);
                break;
            case SourceAct.DestroyMachine when w.Here == SourceMachine.Released:
                At(w with { Here = SourceMachine.Destroyed }, SourceEvent.Destroyed);
                At(w with { Here = SourceMachine.Destroyed }, SourceEvent.MachineLost, isFault: true);
                break;
            case SourceAct.DestroyMachine when w.Here == SourceMachine.Destroyed:
                At(w, SourceEvent.MachineLost);
                break;
            case SourceAct.ResumeMachine when w.Here is SourceMachine.Released or SourceMachine.ResumeInFlight:
                At(w with { Here = SourceMachine.Running }, SourceEvent.Resumed);
                break;
            case SourceAct.ResumeMachine:
                At(w, w.Here == SourceMachine.Destroyed ? SourceEvent.MachineLost : SourceEvent.Resumed);
                break;
            case SourceAct.EndSessions:
                Go(w with { Connected = false, Here = w.Here is SourceMachine.Logging or SourceMachine.Quiesced ? SourceMachine.Running : w.Here });
                break;
            case SourceAct.Inspect when w.Here is SourceMachine.Logging or SourceMachine.Quiesced or SourceMachine.ReleaseInFlight:
                // The session has not ended yet: it waits.
                Go(w with { SourcePhase = Phase.Act, SourceDoes = act });
                break;
            case SourceAct.Inspect:
                At(w, w.Here switch
                {
                    SourceMachine.Running => SourceEvent.FoundHere,
                    SourceMachine.Destroyed => SourceEvent.FoundGone,
                    _ => SourceEvent.FoundReleased,
                });
                break;
            default:
                Go(w);
                break;
        }
    }

    private void Ask(World w)
    {
        At(w, SourceEvent.PeerLost, isFault: true);
        At(w, SourceEvent.TimeIsOver, isFault: true);
        if (!w.DestinationLives) At(w, SourceEvent.PeerLost);
        foreach (var (answered, answer) in Answers(w))
        {
            At(answered, answer);
            At(answered, SourceEvent.PeerLost, isFault: true);
        }
    }

    /// <summary>What the agent does and says when it is asked: a live session is ended, else the record decides.</summary>
    private IEnumerable<(World World, SourceEvent Answer)> Answers(World w)
    {
        if (!w.DestinationLives) yield break;
        if (w.Session && !DestinationHandover.IsEnd(w.Destination) && w.Destination != DestinationState.Waiting)
        {
            if (!_destination.TryGetValue((w.Destination, DestinationEvent.OutcomeAsked), out var live)) yield break;
            if (live.Then == DestinationAct.AnswerPending) yield return (w with { Connected = false }, SourceEvent.OutcomePending);
            else yield return Answer(w, live);
            yield break;
        }
        if (w.DestinationPhase != Phase.Idle) yield break;
        var (state, _) = DestinationHandover.Restart(w.DestinationRecord == 0 ? null : w.DestinationRecord);
        var occurred = state != DestinationState.Recovering ? DestinationEvent.OutcomeAsked : w.There switch
        {
            DestinationMachine.Running => DestinationEvent.FoundRunning,
            DestinationMachine.Gone => DestinationEvent.FoundGone,
            DestinationMachine.Waiting => DestinationEvent.FoundNotStarted,
            _ => 0,
        };
        if (occurred != 0 && _destination.TryGetValue((state, occurred), out var row)) yield return Answer(w, row);
    }

    private static (World World, SourceEvent Answer) Answer(World w, DestinationRow row) =>
        (w with { DestinationRecord = row.Record ?? w.DestinationRecord }, row.To switch
        {
            DestinationState.Running => SourceEvent.OutcomeRunning,
            DestinationState.Never => SourceEvent.OutcomeNever,
            _ => SourceEvent.OutcomeUnknown,
        });

    private void DestinationSteps(World w)
    {
        var dead = w with { DestinationLives = false, DestinationPhase = Phase.Idle, Session = false, Connected = false, ToDestination = "" };
        Go(dead, isFault: true);
        if (w.DestinationPhase == Phase.Act && w is { DestinationDoes: DestinationAct.StartMachine, There: DestinationMachine.Applied })
            Go(dead with { There = DestinationMachine.StartInFlight }, isFault: true);
        switch (w.DestinationPhase)
        {
            case Phase.Record:
                var row = _destination[(w.Destination, w.DestinationOn)];
                Go(w with { Destination = row.To, DestinationRecord = row.Record ?? w.DestinationRecord, DestinationPhase = Phase.Act });
                return;
            case Phase.Act:
                Perform(w with { DestinationPhase = Phase.Idle, DestinationDoes = 0 }, w.DestinationDoes);
                return;
        }
        if (w.Session && w.Connected && DestinationHandover.IsEnd(w.Destination)) Go(w with { Connected = false, ToDestination = "" });
        if (!w.Session || DestinationHandover.IsEnd(w.Destination)) return;
        if (w.Destination == DestinationState.Applied) At(w, DestinationEvent.TimeIsOver, isFault: true);
        if (w.There is DestinationMachine.Built or DestinationMachine.Applied)
            At(w with { There = DestinationMachine.Gone }, DestinationEvent.MachineLost, isFault: true);
        if (w.ToDestination.Length > 0)
        {
            var rest = w with { ToDestination = w.ToDestination[1..] };
            var occurred = w.ToDestination[0] switch { 'o' => DestinationEvent.Offered, 'f' => DestinationEvent.FinalReceived, _ => DestinationEvent.StartReceived };
            if (_destination.ContainsKey((w.Destination, occurred))) At(rest, occurred);
            else At(rest, DestinationEvent.PeerLost);
        }
        else if (!w.Connected)
        {
            At(w, DestinationEvent.PeerLost);
        }
    }

    private void Perform(World w, DestinationAct act)
    {
        switch (act)
        {
            case DestinationAct.Plan:
                At(w, DestinationEvent.PlanYes);
                At(w, DestinationEvent.PlanNo, isFault: true);
                break;
            case DestinationAct.Prepare:
                At(w with { There = DestinationMachine.Built }, DestinationEvent.Prepared);
                At(w with { There = DestinationMachine.Built }, DestinationEvent.PrepareFailed, isFault: true);
                break;
            case DestinationAct.Apply:
                At(w with { There = DestinationMachine.Applied }, DestinationEvent.AppliedAll);
                At(w with { There = DestinationMachine.Applied }, DestinationEvent.ApplyFailed, isFault: true);
                break;
            case DestinationAct.SendReady:
                Go(Tell(w, "r"));
                break;
            case DestinationAct.SendApplied:
                Go(Tell(w, "a"));
                break;
            case DestinationAct.SendRunning:
                Go(Tell(w, "u"));
                break;
            case DestinationAct.SendRefused:
            case DestinationAct.DestroyIncoming:
                Go(Tell(w, "n") with { There = w.There is DestinationMachine.Built or DestinationMachine.Applied ? DestinationMachine.Waiting : w.There });
                break;
            case DestinationAct.StartMachine when w.There == DestinationMachine.Applied:
                At(w with { There = DestinationMachine.Running }, DestinationEvent.Started);
                At(w with { There = DestinationMachine.Waiting }, DestinationEvent.StartRefused, isFault: true);
                At(w with { There = DestinationMachine.Running }, DestinationEvent.MachineLost, isFault: true);
                At(w with { There = DestinationMachine.Waiting }, DestinationEvent.MachineLost, isFault: true);
                At(w with { There = DestinationMachine.Gone }, DestinationEvent.MachineLost, isFault: true);
                At(w, DestinationEvent.Fault, isFault: true);
                break;
            case DestinationAct.StartMachine:
                At(w, DestinationEvent.StartRefused);
                break;
            case DestinationAct.Inspect:
                // The session has not ended yet: it waits.
                if (w.There is DestinationMachine.StartInFlight or DestinationMachine.Built or DestinationMachine.Applied)
                {
                    Go(w with { DestinationPhase = Phase.Act, DestinationDoes = act });
                    break;
                }
                At(w, w.There switch
                {
                    DestinationMachine.Running => DestinationEvent.FoundRunning,
                    DestinationMachine.Waiting => DestinationEvent.FoundNotStarted,
                    _ => DestinationEvent.FoundGone,
                });
                break;
            default:
                Go(w);
                break;
        }
    }

    private static World Tell(World w, string message) => w.Connected && w.Session ? w with { ToSource = w.ToSource + message } : w;

    /// <summary>What the VMMs do by themselves once their session is lost.</summary>
    private void MachineSteps(World w)
    {
        if (!w.SourceLives || w.Source is SourceState.Recovering or SourceState.Kept)
        {
            if (w.Here is SourceMachine.Logging or SourceMachine.Quiesced or SourceMachine.ReleaseInFlight) Go(w with { Here = SourceMachine.Running });
            if (w.Here == SourceMachine.ReleaseInFlight) Go(w with { Here = SourceMachine.Released });
        }
        if (w.Here == SourceMachine.ResumeInFlight) Go(w with { Here = SourceMachine.Running });
        // A session that is no more: its agent died, or it ended without having thrown the machine away.
        if (!w.Session || w.Destination == DestinationState.Recovering || DestinationHandover.IsEnd(w.Destination))
        {
            if (w.There is DestinationMachine.Built or DestinationMachine.Applied or DestinationMachine.StartInFlight) Go(w with { There = DestinationMachine.Waiting });
            if (w.There == DestinationMachine.StartInFlight)
            {
                Go(w with { There = DestinationMachine.Running });
                Go(w with { There = DestinationMachine.Gone }, isFault: true);
            }
        }
    }

    private void NetworkSteps(World w)
    {
        if (w.Connected)
        {
            for (var i = 0; i <= w.ToDestination.Length; i++)
                for (var j = 0; j <= w.ToSource.Length; j++)
                    Go(w with { Connected = false, ToDestination = w.ToDestination[..i], ToSource = w.ToSource[..j] }, isFault: true);
        }
        // Somebody recorded the session and plays it to the agent again.
        if (w is { StartWritten: true, DestinationLives: true, DestinationPhase: Phase.Idle, There: DestinationMachine.Waiting }
            && (!w.Session || DestinationHandover.IsEnd(w.Destination))
            && _destination.ContainsKey((DestinationHandover.Restart(w.DestinationRecord == 0 ? null : w.DestinationRecord).State, DestinationEvent.Offered)))
        {
            Go(w with { Destination = DestinationState.Applied, Session = true, There = DestinationMachine.Applied, ToDestination = "s", Connected = false }, isFault: true);
        }
    }
}
