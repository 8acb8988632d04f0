using Migrate.Model;
using Migrate.Model.Errors;
using Migrate.Transfer.Wire;
using static Migrate.Transfer.Machines.Caller;
using static Migrate.Transfer.Machines.LifecycleState;

namespace Migrate.Transfer.Machines;

/// <summary>Which connection may make a request.</summary>
internal enum Caller
{
    /// <summary>Any, whoever holds a session.</summary>
    Anyone,

    /// <summary>Any, while nobody holds a session.</summary>
    Unheld,

    /// <summary>The holder of the session, of either kind.</summary>
    Holder,
}

/// <summary>One line of the table.</summary>
/// <param name="Request">The request.</param>
/// <param name="Who">Who may make it.</param>
/// <param name="From">In which states.</param>
/// <param name="To">The state afterwards; null where it stays, or where the request decides.</param>
internal readonly record struct Transition(FrameKind Request, Caller Who, LifecycleState[] From, LifecycleState? To = null);

/// <summary>The state machine of a served machine: this table, and what the loss of a session does.</summary>
internal static class Lifecycle
{
    private static readonly LifecycleState[] Everywhere = Enum.GetValues<LifecycleState>();

    /// <summary>Every request. What is not here is refused.</summary>
    public static IReadOnlyList<Transition> Table { get; } =
    [
        new(FrameKind.Status, Anyone, Everywhere),
        new(FrameKind.Describe, Anyone, [Paused, Running, Logging, Quiesced, Released]),

        new(FrameKind.OpenSource, Unheld, [Running, Paused], Logging),
        new(FrameKind.Collect, Holder, [Logging, Quiesced]),
        new(FrameKind.Throttle, Holder, [Logging]),
        new(FrameKind.Quiesce, Holder, [Logging], Quiesced),
        new(FrameKind.Capture, Holder, [Quiesced]),
        new(FrameKind.Unquiesce, Holder, [Quiesced], Logging),
        // Again under the same id: the answer to the first may have been lost.
        new(FrameKind.Release, Holder, [Quiesced, Released], Released),

        new(FrameKind.OpenIncoming, Unheld, [Incoming]),
        new(FrameKind.Begin, Holder, [Incoming], Prepared),
        // Applied as soon as the first step of the apply phase comes; the prepare phase is over then.
        new(FrameKind.Execute, Holder, [Prepared, Applied]),
        new(FrameKind.Read, Holder, [Prepared, Applied]),
        new(FrameKind.StartMachine, Holder, [Applied], Running),

        new(FrameKind.GetMemory, Holder, [Prepared, Applied, Logging, Quiesced]),
        new(FrameKind.CloseSession, Holder, Everywhere),

        new(FrameKind.Pause, Unheld, [Running], Paused),
        new(FrameKind.Resume, Unheld, [Paused], Running),
        new(FrameKind.InjectEvent, Anyone, [Running, Logging]),
        new(FrameKind.ResumeReleased, Anyone, [Released], Running),
        new(FrameKind.Destroy, Anyone, [Released], Destroyed),
        new(FrameKind.Destroy, Unheld, [Incoming, Paused], Destroyed),
    ];

    /// <summary>Where the end of a session's connection leads: before release the machine goes on by itself, after it nothing happens.</summary>
    /// <param name="state">The state in which the connection ended.</param>
    /// <param name="wasRunning">Whether the machine ran when a source session was opened.</param>
    public static LifecycleState AfterLoss(LifecycleState state, bool wasRunning) => state switch
    {
        Incoming or Prepared or Applied => Incoming,
        Logging or Quiesced => wasRunning ? Running : Paused,
        _ => state,
    };

    /// <summary>The line for a request in a state, or the refusal.</summary>
    /// <param name="request">The request.</param>
    /// <param name="state">The state.</param>
    /// <param name="machine">The machine's name, for messages.</param>
    /// <param name="isHolder">Whether the caller holds the session.</param>
    /// <param name="holder">Who holds the session, for messages; null when nobody does.</param>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Busy"/>: somebody else holds the session; <see cref="ErrorCode.WrongState"/>.</exception>
    public static Transition Judge(FrameKind request, LifecycleState state, string machine, bool isHolder, string? holder)
    {
        Transition? found = null;
        foreach (var line in Table)
        {
            if (line.Request != request) continue;
            found = line;
            if (Array.IndexOf(line.From, state) >= 0) break;
        }
        if (found is not { } transition)
            throw new MigrateException(ErrorCode.Protocol, $"{FrameTable.NameOf(request)} is no request to a machine");
        if (transition.Who == Unheld && holder is not null)
            throw new MigrateException(ErrorCode.Busy, $"machine {machine} is held by {holder}")
            {
                IsTransient = true,
                Remedy = "Wait for it to end, or cancel it.",
            };
        if (transition.Who == Holder && !isHolder)
            throw new MigrateException(ErrorCode.WrongState, holder is null
                ? $"machine {machine} takes {FrameTable.Of(request).Name} within a session only, and none is open"
                : $"machine {machine} takes {FrameTable.Of(request).Name} from {holder} only");
        if (Array.IndexOf(transition.From, state) < 0)
            throw new MigrateException(ErrorCode.WrongState, $"machine {machine} is {Name(state)}; it takes {FrameTable.Of(request).Name} when {Allowed(request)}");
        return transition;
    }

    /// <summary>The printed form of a state.</summary>
    public static string Name(LifecycleState state) => KebabCase.Of(state.ToString());

    private static string Allowed(FrameKind request) =>
        string.Join(" or ", Table.Where(line => line.Request == request).SelectMany(line => line.From).Distinct().Select(Name));
}
