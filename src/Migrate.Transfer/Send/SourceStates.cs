namespace Migrate.Transfer.Send;

/// <summary>Where the source's side of a handover stands. Printed in kebab case.</summary>
public enum SourceState
{
    /// <summary>Nothing is agreed; the machine runs.</summary>
    Connecting = 1,

    /// <summary>The agent judges the machine and builds the incoming one; the machine runs.</summary>
    Preparing = 2,

    /// <summary>Pages are copied; the machine runs.</summary>
    Copying = 3,

    /// <summary>The machine is quiesced; its last pages and its state are sent.</summary>
    Stopping = 4,

    /// <summary>The destination applies the state.</summary>
    AwaitingApplied = 5,

    /// <summary>The VMM is being asked to release the machine.</summary>
    Releasing = 6,

    /// <summary>The VMM never runs the machine again without the handover id.</summary>
    Released = 7,

    /// <summary>START is sent; the answer is awaited.</summary>
    StartSent = 8,

    /// <summary>The connection was lost after the release: the agent is asked which side runs.</summary>
    Asking = 9,

    /// <summary>The destination runs the machine; the source's copy is being destroyed.</summary>
    RunningThere = 10,

    /// <summary>The destination never runs the machine; the source's VMM is given the id to run it again.</summary>
    Returning = 11,

    /// <summary>After a crash, or a machine socket lost while releasing: the VMM is asked what became of the machine.</summary>
    Recovering = 12,

    /// <summary>The operator gave the source's copy up; it is being destroyed.</summary>
    Discarding = 13,

    /// <summary>End: the destination runs the machine.</summary>
    Done = 14,

    /// <summary>End: the source keeps the machine; this handover never runs it anywhere else.</summary>
    Kept = 15,

    /// <summary>End until somebody resolves it: which side runs cannot be proven.</summary>
    Unknown = 16,

    /// <summary>End: the operator gave the source's copy up.</summary>
    Discarded = 17,
}

/// <summary>What happens to the source's side.</summary>
public enum SourceEvent
{
    /// <summary>The agent said who it is.</summary>
    Welcomed = 1,

    /// <summary>The incoming machine is built.</summary>
    Ready = 2,

    /// <summary>The agent says no: to the session, the machine, its state, or START.</summary>
    Refused = 3,

    /// <summary>What is left fits into the downtime allowed.</summary>
    Converged = 4,

    /// <summary>The last page and the state are written to the connection.</summary>
    StateSent = 5,

    /// <summary>The destination has applied everything and read it back.</summary>
    Applied = 6,

    /// <summary>The VMM accepted the release.</summary>
    ReleaseAccepted = 7,

    /// <summary>The VMM refused the release: the machine is not released.</summary>
    ReleaseRefused = 8,

    /// <summary>START is written to the connection.</summary>
    StartWritten = 9,

    /// <summary>The destination answered START: it runs.</summary>
    Running = 10,

    /// <summary>The VMM runs the machine again.</summary>
    Resumed = 11,

    /// <summary>The VMM destroyed the machine.</summary>
    Destroyed = 12,

    /// <summary>The VMM cannot be reached.</summary>
    MachineLost = 13,

    /// <summary>The agent cannot be reached, was silent too long, or broke the protocol.</summary>
    PeerLost = 14,

    /// <summary>This side failed: no convergence in time, a digest that differs, a VMM that refuses, a full disk.</summary>
    Fault = 15,

    /// <summary>The operator cancels.</summary>
    Cancel = 16,

    /// <summary>The agent answered: it runs there.</summary>
    OutcomeRunning = 17,

    /// <summary>The agent answered: it never runs there. Durable at the agent before it was said.</summary>
    OutcomeNever = 18,

    /// <summary>The agent answered: ask again.</summary>
    OutcomePending = 19,

    /// <summary>The agent answered: I cannot tell.</summary>
    OutcomeUnknown = 20,

    /// <summary>The time for asking is over.</summary>
    TimeIsOver = 21,

    /// <summary>The VMM holds the machine and it is not released.</summary>
    FoundHere = 22,

    /// <summary>The VMM holds the machine, released under this id.</summary>
    FoundReleased = 23,

    /// <summary>There is no VMM.</summary>
    FoundGone = 24,

    /// <summary>The operator's word: run it here (<c>resolve --run-here</c>).</summary>
    RunHere = 25,

    /// <summary>The operator's word: the source's copy is not wanted (<c>resolve --discard</c>).</summary>
    Discard = 26,
}

/// <summary>What the source's record says.</summary>
public enum SourceMark
{
    /// <summary>A handover was begun; nothing was released.</summary>
    Begun = 1,

    /// <summary>The VMM may have released the machine.</summary>
    Releasing = 2,

    /// <summary>The destination runs it; the source's copy may be destroyed.</summary>
    RunningThere = 3,

    /// <summary>The destination runs it and the source's copy is destroyed.</summary>
    Done = 4,

    /// <summary>The source keeps it. No release follows under this id.</summary>
    Kept = 5,

    /// <summary>The operator gave the source's copy up.</summary>
    Discarded = 6,
}

/// <summary>What the source does on entering a state.</summary>
public enum SourceAct
{
    /// <summary>Nothing: it waits for the peer, or has ended.</summary>
    Nothing = 0,

    /// <summary>Sends the offer.</summary>
    SendOffer = 1,

    /// <summary>Copies rounds of pages until little enough is left.</summary>
    CopyRounds = 2,

    /// <summary>Quiesces, harvests the last dirty pages, captures, and sends pages and state.</summary>
    StopMachine = 3,

    /// <summary>Asks the VMM to release the machine.</summary>
    ReleaseMachine = 4,

    /// <summary>Sends START.</summary>
    SendStart = 5,

    /// <summary>Asks the agent for the outcome, after a pause if it was asked before.</summary>
    AskOutcome = 6,

    /// <summary>Has the VMM destroy the machine.</summary>
    DestroyMachine = 7,

    /// <summary>Gives the VMM the handover id to run the machine again.</summary>
    ResumeMachine = 8,

    /// <summary>Closes both sessions: the VMM runs on by itself, the agent throws its copy away.</summary>
    EndSessions = 9,

    /// <summary>Asks the VMM what became of the machine.</summary>
    Inspect = 10,

    /// <summary>Asks the agent for the outcome so that it records <c>never</c>; the answer changes nothing.</summary>
    TellAgent = 11,
}
