using System.Runtime.Versioning;
using Migrate.Linux.Memory;
using Migrate.Model;
using Migrate.Model.Encoding;
using Migrate.Model.Errors;
using Migrate.Model.Machines;
using Migrate.Model.Ports;
using Migrate.Model.Registers;
using Migrate.Transfer.Machines;
using Migrate.Transfer.Wire;
using static Migrate.Transfer.Machines.LifecycleState;

namespace Migrate.Tests.Transfer.Conformance;

/// <summary>For every promise at least one machine that breaks it and no other.</summary>
internal static class Mutants
{
    /// <summary>One that breaks none.</summary>
    public static Mutant None { get; } = new("none", "a machine that keeps every promise");

    /// <summary>The same behind the proxy, which must not be what a mutant is caught by.</summary>
    public static Mutant NoneBehindProxy { get; } = None with { SourceWire = _ => new Wire(), IncomingWire = _ => new Wire() };

    [SupportedOSPlatform("linux")]
    public static IReadOnlyList<Mutant> All { get; } =
    [
        new("socket-mode", "its group may connect") { Place = path => File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite) },
        Source("preamble-first", "waits for the client's preamble", _ => new GreetsLast()),
        Source("preamble-judged", "takes any preamble", _ => new GreetsAnybody()),
        Source("header-damaged", "goes on behind a damaged header", _ => new Asks((_, f) => f.Tolerated(!f.IsHeaderWhole || f.HasReservedBits || f.Kind == FrameKind.Invalid))),
        Source("payload-damaged", "believes a damaged payload", _ => new Asks((_, f) => f.Descriptors.Length > 0 || f.HasReservedBits || !FrameTable.TryFind(f.Kind, out var _) ? f : f.WithMendedChecksum())),
        Source("unknown-frame", "goes on behind a frame that it does not know", _ => new Asks((_, f) => f.Tolerated(!FrameTable.TryFind(f.Kind, out var _) && f.Kind != FrameKind.Invalid && f.Header[2] == 0))),
        Source("frame-limit", "goes on behind a header beyond its limit", _ => new Asks((_, f) => f.Tolerated(FrameTable.TryFind(f.Kind, out var rule) && f.Length > (ulong)rule.MaxPayload))),
        Source("members", "fills in for members that are wrong", _ => new Asks((_, f) => f.WithMendedMembers())),
        Source("surplus-descriptors", "drops descriptors that nobody asked for", _ => new Asks((_, f) => f.WithoutGifts())),
        Source("error-stands", "closes behind an error", _ => new ClosesOnError()),
        Source("slow-client", "serves nobody while a request is outstanding", _ => new WaitsForOne()),
        new("connection-limit", "takes any number of connections") { Options = o => o with { MaxConnections = 10_000 } },
        new("request-time", "waits for the rest of a request for ever") { Options = o => o with { RequestTimeout = TimeSpan.FromHours(1) } },

        Source("states-running", "unquiesce of a running machine is done", s => Lies(s.Source, FrameKind.Unquiesce, Running)),
        Source("states-paused", "quiesce of a paused machine is done", s => Lies(s.Source, FrameKind.Quiesce, Paused)),
        Source("states-logging", "unquiesce of a logging machine is done", s => Lies(s.Source, FrameKind.Unquiesce, Logging)),
        Source("states-quiesced", "throttle of a quiesced machine is done", s => Lies(s.Source, FrameKind.Throttle, Quiesced, link => link.Session is not null)),
        Source("states-released", "pause of a released machine is done", s => Lies(s.Source, FrameKind.Pause, Released)),
        Source("states-released", "pause of a released machine is refused as if it were in a state of its own, though its session is in the way",
            s => new Answers((link, f) => IsError(f) && link.LastRequest == FrameKind.Pause && s.Source.Status.State == Released ? f.With(ErrorMessage.Shape, e => e with { Code = (int)ErrorCode.WrongState }) : f)),
        new("pause-stops", "writes once after a pause") { Machine = m => new WritesLate(m, quiesced: false) },

        Source("event-unknown", "takes any event", s => Lies(s.Source, FrameKind.InjectEvent, Running, code: ErrorCode.Unsupported)),

        Source("one-session", "refuses the second without a name", _ => Nameless(FrameKind.OpenSource)),
        Source("one-session", "gives everybody a session", s => Lies(s.Source, FrameKind.OpenSource, Logging, code: ErrorCode.Busy)),
        Source("holder-only", "anybody may throttle", s => Lies(s.Source, FrameKind.Throttle, Logging, link => link.Session is null)),
        Source("close-session", "answers before it is done", s => new ClosesLater(s.Source)),
        Source("loss-resumes", "does not see that its session's client is gone", _ => new SeesLate(link => link is { LastRequest: FrameKind.Quiesce, Session.WasRunning: true })),
        new("loss-of-paused", "runs after a session, whatever it did before") { Machine = m => new RunsUnlogged(m) },

        Source("description", "status knows no identity", _ => Status((_, status) => status with { VmId = "" })),
        Source("memory-slots", "an index beyond the last gives no slots", _ => new Answers((link, f) =>
            IsError(f, ErrorCode.Protocol) && link.LastRequest == FrameKind.GetMemory ? WireFrame.Of(FrameKind.Memory, MachineMessages.Memory, new MemoryReply(3, 2, [])) : f)),
        Source("memory-sealed", "the second time memory is a plain file", _ => new Answers((link, f) =>
            f.Kind == FrameKind.Memory && link.Requests.Count(r => r == FrameKind.GetMemory) > 1 ? f.WithOther(Change.PlainFile) : f)),
        new("memory-shared", "shares a copy") { Machine = m => new SharesCopy(m) },
        Source("bitmap-sealed", "the bitmap is a plain file", _ => new Answers((link, f) =>
            f.Kind == FrameKind.SessionOpened && link.Requests.Contains(FrameKind.Describe) ? f.WithOther(Change.PlainFile) : f)),

        new("clean-start", "begins with every page marked") { Machine = m => new StartsDirty(m) },
        new("dirty-complete", "loses marks while it runs") { Machine = m => new LosesMarks(m, running: true) },
        new("dirty-complete", "loses marks of the last harvest") { Machine = m => new LosesMarks(m, running: false) },
        Source("dirty-again", "clears what was not consumed", _ => new Asks((link, f) =>
            f.Kind == FrameKind.Collect && link.Epoch > 0 && f.Read(MachineMessages.Consumed) == link.Epoch - 1 ? f.With(MachineMessages.Consumed, n => n + 1) : f)),
        Source("dirty-consumed", "never clears", s => new Asks((link, f) =>
            f.Kind == FrameKind.Collect && link.Epoch > 0 && s.Source.Status.State == Quiesced && f.Read(MachineMessages.Consumed) == link.Epoch ? f.With(MachineMessages.Consumed, n => n - 1) : f)),
        Source("dirty-number", "takes any number", _ => new Lies(FrameKind.Collect, ErrorCode.Protocol, _ => true)),
        Source("dirty-epoch", "counts one page too many", _ => new Answers((_, f) => f.Kind == FrameKind.Collected ? f.With(MachineMessages.Collected, c => c with { Pages = c.Pages + 1 }) : f)),
        Source("throttle-range", "takes any percentage", _ => new Lies(FrameKind.Throttle, ErrorCode.Protocol, _ => true)),

        new("quiesce-still", "writes once after quiesce") { Machine = m => new WritesLate(m, quiesced: true) },
        new("capture-silent", "writes memory when it is captured") { Machine = m => new CapturesLoudly(m) },
        new("capture-stable", "captures another value each time") { Machine = m => new CapturesOtherwise(m, (r, n) => r.With(new Register(General, new RegisterValue(n)))) },
        new("capture-described", "captures a register less") { Machine = m => new CapturesOtherwise(m, (r, _) => new RegisterSet(r.Where(one => one.Id != General))) },
        new("unquiesce-runs", "stays stopped") { Machine = m => new StaysQuiesced(m) },
        Source("unquiesce-of-paused", "runs", s => new Answers((link, f) =>
        {
            if (f.Kind == FrameKind.Done && link is { LastRequest: FrameKind.Unquiesce, Session.WasRunning: false }) s.Machine.Resume();
            return f;
        })),

        Source("release-id", "takes any id", _ => new Lies(FrameKind.Release, ErrorCode.Protocol, _ => true)),
        Source("release-shown", "status does not show the id", _ => Status((link, status) => link.Session is null && status.State == Released ? status with { HandoverId = "" } : status)),
        Source("release-again", "takes another id, too", s => Lies(s.Source, FrameKind.Release, Released)),
        Source("release-loss", "runs when the session is gone", s => new RunsAfterLoss(s.Source, link => link.Session is not null && !link.Requests.Contains(FrameKind.Capture))),
        Source("release-secret", "tells the right id", s => new Answers((link, f) =>
            IsError(f) && link.LastRequest == FrameKind.ResumeReleased ? f.With(ErrorMessage.Shape, e => e with { Remedy = $"It is {s.Source.Status.HandoverId}." }) : f)),
        Source("release-secret", "takes any id for the right one", s => Lies(s.Source, FrameKind.ResumeReleased, Released, link => link.Session is null)),
        Source("resume-released", "still shows a session", s => new ShowsGhost()),

        Incoming("states-incoming", "start of nothing is done", s => Lies(s.Incoming, FrameKind.StartMachine, LifecycleState.Incoming)),
        Incoming("states-prepared", "start before the apply phase is done", s => Lies(s.Incoming, FrameKind.StartMachine, Prepared)),
        Incoming("states-applied", "begin of a machine that is built is done", s => Lies(s.Incoming, FrameKind.Begin, Applied)),
        Incoming("one-builder", "refuses the second without a name", _ => Nameless(FrameKind.OpenIncoming)),
        Incoming("begin-handlers", "builds a machine without the handlers that it has not", _ => new Asks((_, f) =>
            f.Kind == FrameKind.Begin ? f.With(Documents.VmDescription, vm => vm with { Handlers = [] }) : f)),
        Incoming("begin-handlers", "refuses it with an error of another code", _ => new Answers((link, f) =>
            IsError(f, ErrorCode.Refused) && link.LastRequest == FrameKind.Begin ? f.With(ErrorMessage.Shape, e => e with { Code = (int)ErrorCode.Unsupported }) : f)),
        new("step-refused", "gives up behind a refused step") { Incoming = m => new GivesUp(m) },
        Incoming("phases", "takes steps in any order", s => new Lies(FrameKind.Execute, ErrorCode.WrongState, link => link.Session is not null && s.Incoming.Status.State is Prepared or Applied)),
        Incoming("applied-at-once", "shows prepared until a step of the apply phase succeeds", _ => new ShowsPrepared()),
        Incoming("read-values", "reads zero where there is nothing", _ => new Answers((_, f) => f.Kind == FrameKind.Values
            ? f.With(MachineMessages.Values, values => values.Select(v => v.Errno == 0 ? v : new ReadAnswer(0, new RegisterValue(0))).ToEquatableArray()) : f)),
        Incoming("incoming-memory", "gives other memory the second time", _ => new Answers((link, f) =>
            f.Kind == FrameKind.Memory && link.Requests.Count(r => r == FrameKind.GetMemory) > 1 ? f.WithOther(size => MemFd.Create("other", size)) : f)),
        Incoming("loss-discards", "does not see that its session's client is gone", s => new SeesLate(
            link => link.LastRequest == FrameKind.Execute && link.Requests.Count(r => r == FrameKind.Execute) == 2 && s.Incoming.Status.State == Applied)),

        Source("destroy-running", "a running machine's destruction is done", s => Lies(s.Source, FrameKind.Destroy, Running)),
        Incoming("start-runs", "does not show the id", _ => Status((_, status) => status.State == Running ? status with { HandoverId = "" } : status)),
        Incoming("start-once", "starts it twice", s => Lies(s.Incoming, FrameKind.StartMachine, Running)),
        Incoming("destroy-paused", "takes any id", s => Lies(s.Incoming, FrameKind.Destroy, Paused)),
        Source("destroy-released", "goes on serving", s => new OutlivesDestroy(s.Source)),
    ];

    // A callee-saved general register.
    private static RegisterId General { get; } = RegisterId.Core(8 * 19, 8);

    private static Mutant Source(string promise, string what, Func<Stand, Wire> wire) => new(promise, what) { SourceWire = wire };

    private static Mutant Incoming(string promise, string what, Func<Stand, Wire> wire) => new(promise, what) { IncomingWire = wire };

    private static Lies Lies(MachineServer server, FrameKind request, LifecycleState state, Func<Link, bool>? when = null, ErrorCode? code = null) =>
        new(request, code ?? (request == FrameKind.Pause && state == Released ? ErrorCode.Busy : ErrorCode.WrongState), link => server.Status.State == state && (when is null || when(link)));

    private static Answers Nameless(FrameKind request) => new((link, f) =>
        IsError(f) && link.LastRequest == request ? f.With(ErrorMessage.Shape, e => e with { Message = "somebody holds it" }) : f);

    private static Answers Status(Func<Link, MachineStatus, MachineStatus> change) =>
        new((link, f) => f.Kind == FrameKind.MachineStatus ? f.With(MachineMessages.Status, status => change(link, status)) : f);

    private static bool IsError(WireFrame frame, ErrorCode? code = null) => frame.Kind == FrameKind.Error && (code is null || frame.Read(ErrorMessage.Shape).Code == (int)code);

    /// <summary>Says that a session has ended that goes on until its connection does.</summary>
    private sealed class ClosesLater(MachineServer server) : Wire
    {
        public override void FromClient(Link link, WireFrame frame)
        {
            if (frame.Kind == FrameKind.CloseSession && link.Session is not null && server.Status.State == Quiesced) link.ToClient(WireFrame.Of(FrameKind.Done));
            else base.FromClient(link, frame);
        }
    }

    /// <summary>Shows a session once after a machine was resumed by its id.</summary>
    private sealed class ShowsGhost : Wire
    {
        private volatile bool _shows;

        public override void FromServer(Link link, WireFrame frame)
        {
            if (frame.Kind == FrameKind.Done && link.LastRequest == FrameKind.ResumeReleased) _shows = true;
            var ghost = _shows && frame.Kind == FrameKind.MachineStatus;
            if (ghost) _shows = false;
            link.ToClient(ghost ? frame.With(MachineMessages.Status, status => status with { Session = "a ghost" }) : frame);
        }
    }

    /// <summary>Shows as prepared what has had one batch of steps.</summary>
    private sealed class ShowsPrepared : Wire
    {
        private int _batches;

        public override void FromClient(Link link, WireFrame frame)
        {
            if (frame.Kind == FrameKind.OpenIncoming) _batches = 0;
            if (frame.Kind == FrameKind.Execute) _batches++;
            base.FromClient(link, frame);
        }

        public override void FromServer(Link link, WireFrame frame) => link.ToClient(frame.Kind == FrameKind.MachineStatus && _batches == 1
            ? frame.With(MachineMessages.Status, status => status.State == Applied ? status with { State = Prepared } : status)
            : frame);
    }

    /// <summary>Says that a released machine is destroyed, and lets it be.</summary>
    private sealed class OutlivesDestroy(MachineServer server) : Wire
    {
        public override void FromClient(Link link, WireFrame frame)
        {
            if (frame.Kind == FrameKind.Destroy && server.Status is { State: Released } status && frame.Read(MachineMessages.Handover) == status.HandoverId)
                link.ToClient(WireFrame.Of(FrameKind.Done));
            else base.FromClient(link, frame);
        }
    }
}
