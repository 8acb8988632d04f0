using Migrate.Model.Errors;
using Migrate.Transfer.Handover;
using static Migrate.Transfer.Send.SourceAct;
using static Migrate.Transfer.Send.SourceState;
using E = Migrate.Transfer.Send.SourceEvent;
using M = Migrate.Transfer.Send.SourceMark;
using Row = Migrate.Transfer.Handover.Transition<
    Migrate.Transfer.Send.SourceState, Migrate.Transfer.Send.SourceEvent, Migrate.Transfer.Send.SourceMark, Migrate.Transfer.Send.SourceAct>;

namespace Migrate.Transfer.Send;

/// <summary>The source's half of the handover: the table, and where a record takes it up again.</summary>
/// <remarks>Nothing but this table decides; <c>Sender</c> and <c>Resolver</c> perform what it says.</remarks>
public static class SourceHandover
{
    private static readonly Row[] Rows =
    [
        // from             on                   to               durable before it  then
        new(Connecting,      E.Welcomed,          Preparing,       M.Begun,           SendOffer),
        .. Failing(Connecting, null),

        new(Preparing,       E.Ready,             Copying,         null,              CopyRounds),
        .. Failing(Preparing, M.Kept),

        new(Copying,         E.Converged,         Stopping,        null,              StopMachine),
        .. Failing(Copying, M.Kept),

        new(Stopping,        E.StateSent,         AwaitingApplied, null,              Nothing),
        .. Failing(Stopping, M.Kept),

        new(AwaitingApplied, E.Applied,           Releasing,       M.Releasing,       ReleaseMachine),
        .. Failing(AwaitingApplied, M.Kept),

        // From the record on nothing is cancelled any more: the destination may be told to run.
        new(Releasing,       E.ReleaseAccepted,   Released,        null,              SendStart),
        new(Releasing,       E.ReleaseRefused,    Kept,            M.Kept,            EndSessions),
        new(Releasing,       E.MachineLost,       Recovering,      null,              Inspect),

        new(Released,        E.StartWritten,      StartSent,       null,              Nothing),
        new(Released,        E.PeerLost,          Asking,          null,              AskOutcome),

        // An agent that says no to START is asked as well: only a recorded never lets the source run again.
        new(StartSent,       E.Running,           RunningThere,    M.RunningThere,    DestroyMachine),
        new(StartSent,       E.Refused,           Asking,          null,              AskOutcome),
        new(StartSent,       E.PeerLost,          Asking,          null,              AskOutcome),

        new(Asking,          E.OutcomeRunning,    RunningThere,    M.RunningThere,    DestroyMachine),
        new(Asking,          E.OutcomeNever,      Returning,       null,              ResumeMachine),
        new(Asking,          E.OutcomePending,    Asking,          null,              AskOutcome),
        new(Asking,          E.PeerLost,          Asking,          null,              AskOutcome),
        new(Asking,          E.OutcomeUnknown,    Unknown,         null,              Nothing),
        new(Asking,          E.Refused,           Unknown,         null,              Nothing),
        new(Asking,          E.TimeIsOver,        Unknown,         null,              Nothing),

        new(RunningThere,    E.Destroyed,         Done,            M.Done,            Nothing),
        new(RunningThere,    E.MachineLost,       Done,            M.Done,            Nothing),
        // It runs there all the same; the record stays, so that a resolve destroys the source's copy.
        new(RunningThere,    E.Fault,             Done,            null,              Nothing),

        new(Returning,       E.Resumed,           Kept,            M.Kept,            Nothing),
        new(Returning,       E.MachineLost,       Unknown,         null,              Nothing),
        new(Returning,       E.Fault,             Unknown,         null,              Nothing),

        new(Recovering,      E.FoundHere,         Kept,            M.Kept,            TellAgent),
        new(Recovering,      E.FoundReleased,     Asking,          null,              AskOutcome),
        new(Recovering,      E.FoundGone,         Asking,          null,              AskOutcome),
        new(Recovering,      E.Fault,             Unknown,         null,              Nothing),

        new(Unknown,         E.RunHere,           Returning,       null,              ResumeMachine),
        new(Unknown,         E.Discard,           Discarding,      M.Discarded,       DestroyMachine),

        new(Discarding,      E.Destroyed,         Discarded,       null,              Nothing),
        new(Discarding,      E.MachineLost,       Discarded,       null,              Nothing),
        new(Discarding,      E.Fault,             Unknown,         null,              Nothing),
    ];

    /// <summary>The table.</summary>
    public static TransitionTable<SourceState, SourceEvent, SourceMark, SourceAct> Table { get; } = new("source", Rows, Why);

    /// <summary>Where a process that finds a record goes on, and what it does there first.</summary>
    /// <remarks>A record that does not yet say <see cref="SourceMark.RunningThere"/> proves nothing alone: the VMM is asked.</remarks>
    public static (SourceState State, SourceAct Act) Restart(SourceMark mark) => mark switch
    {
        M.Begun or M.Releasing => (Recovering, Inspect),
        M.RunningThere => (RunningThere, DestroyMachine),
        M.Done => (Done, Nothing),
        M.Kept => (Kept, Nothing),
        M.Discarded => (Discarding, DestroyMachine),
        _ => throw new MigrateException(ErrorCode.Malformed, $"a source's record says {(int)mark}, which is no state that this build knows"),
    };

    /// <summary>Whether a state is an end: nothing is awaited in it.</summary>
    public static bool IsEnd(SourceState state) => state is Done or Kept or Unknown or Discarded;

    /// <summary>Whether the machine may already be released: nothing can be cancelled.</summary>
    public static bool MayBeReleased(SourceState state) => state is not (Connecting or Preparing or Copying or Stopping or AwaitingApplied or Kept);

    private static Row[] Failing(SourceState state, M? mark) =>
    [
        new(state, E.Refused, Kept, mark, EndSessions),
        new(state, E.PeerLost, Kept, mark, EndSessions),
        new(state, E.MachineLost, Kept, mark, EndSessions),
        new(state, E.Fault, Kept, mark, EndSessions),
        new(state, E.Cancel, Kept, mark, EndSessions),
    ];

    private static string Why(SourceState state, SourceEvent occurred) => occurred switch
    {
        E.Cancel when IsEnd(state) => "the handover is over",
        E.Cancel => "too late, the machine may already be released; the handover goes on to its end",
        E.RunHere or E.Discard => "the operator decides only what cannot be proven",
        E.Welcomed or E.Ready or E.Refused or E.Applied or E.Running => "the agent says it at another time, or not at all",
        E.OutcomeRunning or E.OutcomeNever or E.OutcomePending or E.OutcomeUnknown or E.TimeIsOver => "nothing was asked",
        E.FoundHere or E.FoundReleased or E.FoundGone => "the VMM was not asked",
        _ => "it cannot happen here",
    };
}
