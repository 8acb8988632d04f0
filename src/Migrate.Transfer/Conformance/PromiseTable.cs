using Migrate.Transfer.Conformance.Checks;
using static Migrate.Transfer.Conformance.Cost;
using static Migrate.Transfer.Conformance.Side;

namespace Migrate.Transfer.Conformance;

/// <summary>Every promise of schemas/machine-socket.md that can be tried from outside, in the order in which they are. The specification has the same table.</summary>
public static class PromiseTable
{
    private const string Connections = "Connections";
    private const string States = "States";
    private const string Promises = "Promises";
    private const string Requests = "Requests and answers";
    private const string Memory = "Memory";
    private const string Dirty = "The dirty bitmap";
    private const string Move = "A move, seen from both sockets";
    private const string Bytes = "Bytes";

    /// <summary>The promises; those that cost the machine come last.</summary>
    public static IReadOnlyList<Promise> All { get; } =
    [
        On(Source, "socket-mode", Connections, "The socket's file has mode 0600.", ConnectionChecks.SocketMode),
        On(Source, "preamble-first", Bytes, "The server sends its preamble without waiting for the client's.", ConnectionChecks.PreambleFirst),
        On(Source, "preamble-judged", Bytes, "A preamble with another magic, version or purpose, an unknown flag below bit 16 or a wrong checksum ends the connection.", ConnectionChecks.PreambleJudged),
        On(Source, "header-damaged", Bytes, "A header with a wrong checksum, a reserved bit or kind 0 ends the connection.", ConnectionChecks.HeaderDamaged),
        On(Source, "payload-damaged", Bytes, "A payload whose checksum does not fit ends the connection, and nothing is done.", ConnectionChecks.PayloadDamaged),
        On(Source, "unknown-frame", Bytes, "An unknown kind is skipped where it is optional, and ends the connection where it is not; so does a known one that is no request.", ConnectionChecks.UnknownFrame),
        On(Source, "frame-limit", Bytes, "A header that promises more than its kind's limit ends the connection, before a payload comes.", ConnectionChecks.FrameLimit),
        On(Source, "members", Bytes, "A payload with an unknown, repeated, missing or mistyped member, or with bytes behind it, ends the connection.", ConnectionChecks.Members),
        On(Source, "surplus-descriptors", Bytes, "A descriptor that comes with a request ends the connection, announced or not.", ConnectionChecks.SurplusDescriptors),
        On(Source, "error-stands", Connections, "After an error the connection stands, and nothing was done.", ConnectionChecks.ErrorStands),
        On(Source, "slow-client", Connections, "While a request of one client is outstanding, others are served.", ConnectionChecks.SlowClient),
        On(Source, "connection-limit", Connections, "The server holds 256 connections at most; one more gets error 32 (busy) and is closed.", ConnectionChecks.ConnectionLimit),
        On(Source, "request-time", Connections, "A request of whose rest nothing comes for 30 s ends the connection.", ConnectionChecks.RequestTime, Patience),

        On(Source, "states-running", States, "A running machine refuses what the table of states does not allow there, and answers what it does.", StateChecks.Running),
        On(Source, "states-paused", States, "A paused machine does.", StateChecks.Paused),
        On(Source, "states-logging", States, "A logging machine does, with error 32 (busy) where a session is in the way.", StateChecks.Logging),
        On(Source, "states-quiesced", States, "A quiesced machine does.", StateChecks.Quiesced),
        On(Source, "states-released", States, "A released machine does.", StateChecks.Released),
        On(Source, "pause-stops", States, "Nothing writes guest memory between the answers to pause and resume.", SessionChecks.PauseStops),

        On(Source, "event-unknown", Requests, "Inject-event of an event that the guest has not registered is refused with error 2 (not-found), by a VMM that sends none with error 4 (unsupported).", EventChecks.Unknown),

        On(Source, "one-session", Promises, "A second open-source is refused with error 32 (busy), and the message contains what status shows as the holder.", SessionChecks.OneSession),
        On(Source, "holder-only", States, "Requests of the session are refused to every other connection with error 33 (wrong-state).", SessionChecks.HolderOnly),
        On(Source, "close-session", States, "When close-session is answered, the machine runs again if it ran, and no session is shown.", SessionChecks.CloseSession),
        On(Source, "loss-resumes", Promises, "When a session's connection ends before release, the machine runs again if it ran.", SessionChecks.LossResumes),
        On(Source, "loss-of-paused", States, "When the session of a machine ends that was paused when it was opened, the machine is paused.", SessionChecks.LossOfPaused),

        On(Source, "description", Requests, "Describe says the name and identity that status says, each vCPU with its registers, and slots of whole pages.", MemoryChecks.Description),
        On(Source, "memory-slots", Memory, "Get-memory gives the slots of the description in its order from the index asked for, a descriptor each, and refuses an index beyond the last.", MemoryChecks.Slots),
        On(Source, "memory-sealed", Memory, "Each slot is a memfd at least as large as the slot, sealed with F_SEAL_SHRINK, F_SEAL_GROW and F_SEAL_SEAL.", MemoryChecks.Sealed),
        On(Source, "memory-shared", Memory, "The memory is the guest's own: what the guest writes is seen there.", MemoryChecks.Shared),
        On(Source, "bitmap-sealed", Dirty, "The bitmap is a memfd large enough for every page, sealed like memory.", MemoryChecks.BitmapSealed),

        On(Source, "clean-start", Dirty, "When a session is opened, every page counts as clean.", DirtyChecks.CleanStart),
        On(Source, "dirty-complete", Dirty, "A page that changes between two readings is marked in a collection after its change.", DirtyChecks.Complete),
        On(Source, "dirty-again", Promises, "What is marked in a collection that was not consumed is marked in the next one too.", DirtyChecks.Again),
        On(Source, "dirty-consumed", Dirty, "Consuming a collection clears its marks.", DirtyChecks.Consumed),
        On(Source, "dirty-number", Dirty, "A collect that names neither the last epoch nor the one before it is refused with error 13 (protocol).", DirtyChecks.Number),
        On(Source, "dirty-epoch", Requests, "Epochs of a session count from 1 without a gap, and pages is the number of bits set.", DirtyChecks.Epoch),
        On(Source, "throttle-range", Requests, "A throttle of 0 to 99 percent is done, any other refused with error 13 (protocol).", DirtyChecks.Throttle),

        On(Source, "quiesce-still", Requests, "When quiesce is answered, nothing writes guest memory any more.", StopChecks.QuiesceStill),
        On(Source, "capture-silent", Requests, "Capture writes no guest memory.", StopChecks.CaptureSilent),
        On(Source, "capture-stable", Requests, "Two captures of one stop are equal, but for registers that count by themselves.", StopChecks.CaptureStable),
        On(Source, "capture-described", Requests, "What was captured is the VM that was described, with every register that was described.", StopChecks.CaptureDescribed),
        On(Source, "unquiesce-runs", Requests, "Unquiesce lets a machine run that ran when the session was opened.", StopChecks.UnquiesceRuns),
        On(Source, "unquiesce-of-paused", States, "Unquiesce does not let a machine run that was paused when the session was opened.", StopChecks.UnquiesceOfPaused),

        On(Source, "release-id", Requests, "Release under anything but 1 to 64 letters, digits and hyphens is refused with error 13 (protocol).", HandoverChecks.ReleaseId),
        On(Source, "release-shown", Promises, "Status shows a released machine with its handover id.", HandoverChecks.ReleaseShown),
        On(Source, "release-again", Promises, "Release again is done under the same id and refused with error 33 (wrong-state) under another.", HandoverChecks.ReleaseAgain),
        On(Source, "release-loss", Promises, "A released machine stays released when its session's connection ends.", HandoverChecks.ReleaseLoss),
        On(Source, "release-secret", Promises, "Resume-released and destroy under another id are refused with error 33 (wrong-state), and the error does not tell the right one.", HandoverChecks.ReleaseSecret),
        On(Source, "resume-released", Promises, "Resume-released with the same id lets the machine run and ends the session.", HandoverChecks.ResumeReleased),

        On(Incoming, "states-incoming", States, "An incoming machine refuses what the table of states does not allow there.", StateChecks.Incoming),
        On(Incoming, "states-prepared", States, "A prepared machine does, and answers what the table allows.", StateChecks.Prepared),
        On(Incoming, "states-applied", States, "An applied machine does.", StateChecks.Applied),
        On(Incoming, "one-builder", Promises, "A second open-incoming is refused with error 32 (busy), and the message contains what status shows as the holder.", SessionChecks.OneBuilder),
        On(Incoming, "begin-handlers", Move, "Begin of a machine with a handler that the VMM has not is refused with error 20 (refused), and another can be begun.", ArrivalChecks.BeginHandlers),
        On(Incoming, "step-refused", Requests, "A refused step is an answer with an errno above 0, and the steps behind it still run.", ArrivalChecks.StepRefused),
        On(Incoming, "phases", States, "A step of the prepare phase behind one of the apply phase is refused with error 33 (wrong-state), in the same batch or later.", ArrivalChecks.Phases),
        On(Incoming, "applied-at-once", States, "The first step of the apply phase leads to applied, even if it is refused.", ArrivalChecks.AppliedAtOnce),
        On(Incoming, "read-values", Requests, "Read gives what was written, and an errno above 0 for a register that is not there.", ArrivalChecks.ReadValues),
        On(Incoming, "incoming-memory", Memory, "The memory of a machine that is being built is that of its description, can be written, and is the same each time it is asked for.", ArrivalChecks.Memory),
        On(Incoming, "loss-discards", States, "When the session of an incoming machine ends, what was built is thrown away, and another can be built.", ArrivalChecks.LossDiscards),

        On(Source, "destroy-running", Promises, "A machine that runs or is held by a session is not destroyed.", HandoverChecks.DestroyRunning, Machine),
        On(Incoming, "start-runs", Promises, "When start-machine is answered, status shows the machine running under that id, with its own name and identity and without a session.", ArrivalChecks.StartRuns, Machine),
        On(Incoming, "start-once", Promises, "A second start-machine is refused with error 33 (wrong-state).", ArrivalChecks.StartOnce, Machine),
        On(Incoming, "destroy-paused", States, "Destroy of a paused machine is refused with a handover id, done without one, and ends the process.", ArrivalChecks.DestroyPaused, Machine),
        On(Source, "destroy-released", States, "Destroy of a released machine with its id is done and ends the process.", HandoverChecks.DestroyReleased, Machine),
    ];

    private static Promise On(Side side, string name, string section, string sentence, Action<Bench> check, Cost cost = Moments) =>
        new(name, section, sentence, side, cost, check);
}
