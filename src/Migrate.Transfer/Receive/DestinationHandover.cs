using Migrate.Model.Errors;
using Migrate.Transfer.Handover;
using static Migrate.Transfer.Receive.DestinationAct;
using static Migrate.Transfer.Receive.DestinationState;
using E = Migrate.Transfer.Receive.DestinationEvent;
using M = Migrate.Transfer.Receive.DestinationMark;
using Row = Migrate.Transfer.Handover.Transition<
    Migrate.Transfer.Receive.DestinationState, Migrate.Transfer.Receive.DestinationEvent,
    Migrate.Transfer.Receive.DestinationMark, Migrate.Transfer.Receive.DestinationAct>;

namespace Migrate.Transfer.Receive;

/// <summary>The destination's half of the handover: the table, and where a record takes it up again.</summary>
/// <remarks>Nothing but this table decides; the agent performs what it says.</remarks>
public static class DestinationHandover
{
    private static readonly Row[] Rows =
    [
        // from       on                  to          durable before it  then
        new(Waiting,    E.Offered,          Planning,   null,              Plan),
        new(Waiting,    E.PeerLost,         Ended,      null,              Nothing),
        new(Waiting,    E.Fault,            Ended,      null,              Nothing),
        new(Waiting,    E.OutcomeAsked,     Never,      M.Never,           AnswerNever),

        new(Planning,   E.PlanYes,          Preparing,  null,              Prepare),
        new(Planning,   E.PlanNo,           Refused,    null,              SendRefused),
        .. Failing(Planning),

        new(Preparing,  E.Prepared,         Receiving,  null,              SendReady),
        new(Preparing,  E.PrepareFailed,    Refused,    M.Never,           SendRefused),
        .. Failing(Preparing),

        new(Receiving,  E.RoundEnded,       Receiving,  null,              SendRoundAck),
        new(Receiving,  E.FinalReceived,    Applying,   null,              Apply),
        .. Failing(Receiving),

        new(Applying,   E.AppliedAll,       Applied,    null,              SendApplied),
        new(Applying,   E.ApplyFailed,      Refused,    M.Never,           SendRefused),
        .. Failing(Applying),

        new(Applied,    E.StartReceived,    Starting,   M.Starting,        StartMachine),
        new(Applied,    E.TimeIsOver,       Never,      M.Never,           DestroyIncoming),
        .. Failing(Applied),

        // From the record on the source cannot run without asking, and is not told never.
        new(Starting,   E.Started,          Running,    M.Running,         SendRunning),
        new(Starting,   E.StartRefused,     Never,      M.Never,           DestroyIncoming),
        new(Starting,   E.MachineLost,      Recovering, null,              Inspect),
        new(Starting,   E.Fault,            Unknown,    null,              Nothing),
        new(Starting,   E.OutcomeAsked,     Starting,   null,              AnswerPending),

        new(Recovering, E.FoundRunning,     Running,    M.Running,         SendRunning),
        new(Recovering, E.FoundNotStarted,  Never,      M.Never,           DestroyIncoming),
        new(Recovering, E.FoundGone,        Unknown,    null,              Nothing),
        new(Recovering, E.Fault,            Unknown,    null,              Nothing),
        new(Recovering, E.OutcomeAsked,     Recovering, null,              AnswerPending),

        new(Running,    E.PeerLost,         Running,    null,              Nothing),
        new(Running,    E.OutcomeAsked,     Running,    null,              AnswerRunning),

        new(Never,      E.OutcomeAsked,     Never,      null,              AnswerNever),
    ];

    /// <summary>The table.</summary>
    public static TransitionTable<DestinationState, DestinationEvent, DestinationMark, DestinationAct> Table { get; } =
        new("destination", Rows, Why);

    /// <summary>Where a handover stands when only its record is left; null: there is no record.</summary>
    public static (DestinationState State, DestinationAct Act) Restart(DestinationMark? mark) => mark switch
    {
        null => (Waiting, Nothing),
        M.Starting => (Recovering, Inspect),
        M.Running => (Running, Nothing),
        M.Never => (Never, Nothing),
        _ => throw new MigrateException(ErrorCode.Malformed, $"a destination's record says {(int)mark}, which is no state that this build knows"),
    };

    /// <summary>Whether a state is an end: nothing is awaited in it.</summary>
    public static bool IsEnd(DestinationState state) => state is Running or Never or Refused or Unknown or Ended;

    private static Row[] Failing(DestinationState state) =>
    [
        new(state, E.CancelReceived, Never, M.Never, DestroyIncoming),
        new(state, E.PeerLost, Never, M.Never, DestroyIncoming),
        new(state, E.MachineLost, Never, M.Never, DestroyIncoming),
        new(state, E.Fault, Never, M.Never, DestroyIncoming),
        new(state, E.OutcomeAsked, state, null, AnswerPending),
    ];

    private static string Why(DestinationState state, DestinationEvent occurred) => occurred switch
    {
        E.StartReceived when state is Never or Refused => "it is recorded that the machine never runs here under this id",
        E.StartReceived => "nothing is applied that could be started",
        E.Offered when state == Waiting => "it cannot happen here",
        E.Offered => "the handover id is already known here; a new attempt takes a new id",
        E.RoundEnded or E.FinalReceived => "no pages are awaited",
        E.CancelReceived => "too late, START was received",
        _ => "it cannot happen here",
    };
}
