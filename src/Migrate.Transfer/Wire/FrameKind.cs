namespace Migrate.Transfer.Wire;

/// <summary>What a frame is. The numbers are on the wire and on disk and never change; 0 is never sent.</summary>
/// <remarks>By hundreds: 0x00 everywhere, 0x01 pages, 0x02 a move between hosts, 0x03 the machine socket, 0x04 snapshots.
/// What each carries, and its limits, is one line of <see cref="FrameTable"/>.</remarks>
public enum FrameKind : ushort
{
    /// <summary>Never sent.</summary>
    Invalid = 0,

    /// <summary>The sender of this frame failed; the payload says how. Ends the exchange.</summary>
    Error = 0x0001,

    /// <summary>The request was done and there is nothing to say about it.</summary>
    Done = 0x0002,

    /// <summary>Nothing happened, and the sender of this frame is alive. Optional.</summary>
    Alive = 0x0003,

    /// <summary>A table of page runs, then the pages.</summary>
    Pages = 0x0101,

    /// <summary>A table of page runs that are all zero.</summary>
    ZeroPages = 0x0102,

    /// <summary>First frame of the sender of a move: who it is and what it wants.</summary>
    Hello = 0x0201,

    /// <summary>The agent's answer to <see cref="Hello"/>.</summary>
    Welcome = 0x0202,

    /// <summary>The machine that is to move, with policy and accepted findings.</summary>
    Offer = 0x0203,

    /// <summary>The incoming VM is built; pages may come.</summary>
    Ready = 0x0204,

    /// <summary>The plan says no; the payload is the report.</summary>
    Refused = 0x0205,

    /// <summary>A pre-copy round is over.</summary>
    RoundEnd = 0x0206,

    /// <summary>Every page of the round is in place.</summary>
    RoundAck = 0x0207,

    /// <summary>The captured state of the stopped machine.</summary>
    Final = 0x0208,

    /// <summary>All is applied and read back: the destination is prepared to start.</summary>
    Applied = 0x0209,

    /// <summary>Start the machine: the source never runs it again under this handover id.</summary>
    Start = 0x020a,

    /// <summary>It runs at the destination.</summary>
    Running = 0x020b,

    /// <summary>The source keeps the machine; the destination throws its copy away.</summary>
    Cancel = 0x020c,

    /// <summary>Which side runs a handover's machine?</summary>
    OutcomeQuery = 0x0210,

    /// <summary>Answer to <see cref="OutcomeQuery"/>.</summary>
    Outcome = 0x0211,

    /// <summary>What is the agent doing?</summary>
    AgentStatusQuery = 0x0212,

    /// <summary>Answer to <see cref="AgentStatusQuery"/>.</summary>
    AgentStatus = 0x0213,

    /// <summary>What does the agent's host accept?</summary>
    ProfileQuery = 0x0214,

    /// <summary>A host profile.</summary>
    Profile = 0x0215,

    /// <summary>Would this machine survive there?</summary>
    CheckQuery = 0x0216,

    /// <summary>A check report.</summary>
    Report = 0x0217,

    /// <summary>Would this machine survive there? Try it on a scratch VM.</summary>
    DryRunQuery = 0x0218,

    /// <summary>Request: how is the machine?</summary>
    Status = 0x0301,

    /// <summary>Answer to <see cref="Status"/>.</summary>
    MachineStatus = 0x0302,

    /// <summary>Request: describe the machine.</summary>
    Describe = 0x0303,

    /// <summary>Answer to <see cref="Describe"/>.</summary>
    MachineReport = 0x0304,

    /// <summary>Request: give me the migration session of a source.</summary>
    OpenSource = 0x0305,

    /// <summary>Request: give me the migration session of an incoming machine.</summary>
    OpenIncoming = 0x0306,

    /// <summary>Answer to <see cref="OpenSource"/> and <see cref="OpenIncoming"/>; a source's carries the bitmap's descriptor.</summary>
    SessionOpened = 0x0307,

    /// <summary>Request: end the session as if the connection were lost.</summary>
    CloseSession = 0x0308,

    /// <summary>Request: descriptors of guest memory.</summary>
    GetMemory = 0x0309,

    /// <summary>Answer to <see cref="GetMemory"/>: slots, and one descriptor for each.</summary>
    Memory = 0x030a,

    /// <summary>Request: put the dirty pages into the bitmap.</summary>
    Collect = 0x030b,

    /// <summary>Answer to <see cref="Collect"/>.</summary>
    Collected = 0x030c,

    /// <summary>Request: slow the vCPUs.</summary>
    Throttle = 0x030d,

    /// <summary>Request: stop the vCPUs.</summary>
    Quiesce = 0x030e,

    /// <summary>Request: the state of the stopped machine.</summary>
    Capture = 0x030f,

    /// <summary>Answer to <see cref="Capture"/>.</summary>
    Captured = 0x0310,

    /// <summary>Request: run on after <see cref="Quiesce"/>.</summary>
    Unquiesce = 0x0311,

    /// <summary>Request: never run again without this handover id.</summary>
    Release = 0x0312,

    /// <summary>Request: begin to build the incoming machine.</summary>
    Begin = 0x0313,

    /// <summary>Request: execute restore steps.</summary>
    Execute = 0x0314,

    /// <summary>Answer to <see cref="Execute"/>, one a step.</summary>
    Answers = 0x0315,

    /// <summary>Request: read registers back.</summary>
    Read = 0x0316,

    /// <summary>Answer to <see cref="Read"/>, one a register.</summary>
    Values = 0x0317,

    /// <summary>Request: start the incoming machine.</summary>
    StartMachine = 0x0318,

    /// <summary>Request of the operator: stop.</summary>
    Pause = 0x0319,

    /// <summary>Request of the operator: run on.</summary>
    Resume = 0x031a,

    /// <summary>Request: run a released machine again, with its handover id.</summary>
    ResumeReleased = 0x031b,

    /// <summary>Request: end the machine.</summary>
    Destroy = 0x031c,

    /// <summary>Send the guest an event of SDEI. Answer: <see cref="Done"/>.</summary>
    InjectEvent = 0x031d,

    /// <summary>Head of a snapshot file: what it holds.</summary>
    SnapshotHead = 0x0401,

    /// <summary>The machine state of a snapshot.</summary>
    SnapshotState = 0x0402,

    /// <summary>The index of a snapshot file.</summary>
    SnapshotIndex = 0x0403,

    /// <summary>Last frame of a snapshot file: where the index is.</summary>
    SnapshotEnd = 0x0404,
}
