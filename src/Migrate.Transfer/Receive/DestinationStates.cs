namespace Migrate.Transfer.Receive;

/// <summary>Where the destination's side of a handover stands. Printed in kebab case.</summary>
public enum DestinationState
{
    /// <summary>Nothing is known of the handover.</summary>
    Waiting = 1,

    /// <summary>The offer is being judged on a fresh profile.</summary>
    Planning = 2,

    /// <summary>The incoming machine is being built.</summary>
    Preparing = 3,

    /// <summary>Pages arrive.</summary>
    Receiving = 4,

    /// <summary>The state of the stopped machine is applied and read back.</summary>
    Applying = 5,

    /// <summary>All is applied and reported; START is awaited.</summary>
    Applied = 6,

    /// <summary>START was received; the incoming VMM is told to run.</summary>
    Starting = 7,

    /// <summary>The incoming VMM is asked what became of the start.</summary>
    Recovering = 8,

    /// <summary>End: it runs here.</summary>
    Running = 9,

    /// <summary>End: it never runs here, durably.</summary>
    Never = 10,

    /// <summary>End: refused before anything could run.</summary>
    Refused = 11,

    /// <summary>End until asked again: START was received and the incoming VMM is gone.</summary>
    Unknown = 12,

    /// <summary>End of a connection that offered nothing.</summary>
    Ended = 13,
}

/// <summary>What happens to the destination's side.</summary>
public enum DestinationEvent
{
    /// <summary>A machine is offered.</summary>
    Offered = 1,

    /// <summary>The plan says yes.</summary>
    PlanYes = 2,

    /// <summary>The plan says no, or the session is refused.</summary>
    PlanNo = 3,

    /// <summary>The incoming machine is built and read back.</summary>
    Prepared = 4,

    /// <summary>The incoming machine could not be built as planned.</summary>
    PrepareFailed = 5,

    /// <summary>The sender ended a round.</summary>
    RoundEnded = 6,

    /// <summary>The state of the stopped machine is here.</summary>
    FinalReceived = 7,

    /// <summary>All is applied and read back.</summary>
    AppliedAll = 8,

    /// <summary>The state could not be applied as planned.</summary>
    ApplyFailed = 9,

    /// <summary>START arrived.</summary>
    StartReceived = 10,

    /// <summary>The incoming VMM runs the machine.</summary>
    Started = 11,

    /// <summary>The incoming VMM answered the start with an error: it never runs under this id.</summary>
    StartRefused = 12,

    /// <summary>The incoming VMM cannot be reached.</summary>
    MachineLost = 13,

    /// <summary>The sender cancels.</summary>
    CancelReceived = 14,

    /// <summary>The sender is gone, was silent too long, or broke the protocol.</summary>
    PeerLost = 15,

    /// <summary>This side failed.</summary>
    Fault = 16,

    /// <summary>START did not come in time.</summary>
    TimeIsOver = 17,

    /// <summary>Somebody asks which side runs.</summary>
    OutcomeAsked = 18,

    /// <summary>The incoming VMM runs the machine under this id.</summary>
    FoundRunning = 19,

    /// <summary>The incoming VMM lives and has thrown the machine away unstarted: it went back to waiting when its session was lost.</summary>
    FoundNotStarted = 20,

    /// <summary>There is no incoming VMM, or another one: nothing is proven.</summary>
    FoundGone = 21,
}

/// <summary>What the destination's record says.</summary>
public enum DestinationMark
{
    /// <summary>START was received: it may run here.</summary>
    Starting = 1,

    /// <summary>It runs here.</summary>
    Running = 2,

    /// <summary>It never runs here; a later START is refused.</summary>
    Never = 3,
}

/// <summary>What the destination does on entering a state.</summary>
public enum DestinationAct
{
    /// <summary>Nothing.</summary>
    Nothing = 0,

    /// <summary>Measures the host and plans.</summary>
    Plan = 1,

    /// <summary>Builds the incoming machine and reads it back.</summary>
    Prepare = 2,

    /// <summary>Reports that pages may come.</summary>
    SendReady = 3,

    /// <summary>Acknowledges a round.</summary>
    SendRoundAck = 4,

    /// <summary>Plans with the final state, applies it, and reads it back.</summary>
    Apply = 5,

    /// <summary>Reports that all is applied.</summary>
    SendApplied = 6,

    /// <summary>Tells the incoming VMM to run.</summary>
    StartMachine = 7,

    /// <summary>Reports that it runs.</summary>
    SendRunning = 8,

    /// <summary>Throws the incoming machine away and reports the refusal.</summary>
    SendRefused = 9,

    /// <summary>Throws the incoming machine away.</summary>
    DestroyIncoming = 10,

    /// <summary>Asks the incoming VMM what became of the start.</summary>
    Inspect = 11,

    /// <summary>Answers <c>running</c>.</summary>
    AnswerRunning = 12,

    /// <summary>Answers <c>never</c>.</summary>
    AnswerNever = 13,

    /// <summary>Ends the session's connection and answers <c>pending</c>.</summary>
    AnswerPending = 14,
}
