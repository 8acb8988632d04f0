using Migrate.Model.Encoding;
using Migrate.Model.Plans;

namespace Migrate.Transfer.Send;

/// <summary>Something that a move reports while it goes on; <c>send --json</c> prints one a line.</summary>
public abstract record SendEvent
{
    /// <summary>How any of them is written: <c>kind</c> first.</summary>
    public static Shape<SendEvent> Shape { get; } = SendEventShapes.Make();
}

/// <summary>The agent answered.</summary>
/// <param name="HandoverId">The handover's id.</param>
/// <param name="VmName">Name of the machine.</param>
/// <param name="Agent">HOST:PORT.</param>
/// <param name="AgentId">Its identity.</param>
/// <param name="HostName">Its host, for people.</param>
public sealed record ConnectedEvent(string HandoverId, string VmName, string Agent, string AgentId, string HostName) : SendEvent;

/// <summary>The destination's verdict; on yes, its incoming machine is built.</summary>
/// <param name="Report">The report.</param>
public sealed record VerdictEvent(CheckReport Report) : SendEvent;

/// <summary>Pages are being sent; at most a few times a second.</summary>
/// <param name="Round">The round, from 1.</param>
/// <param name="Bytes">Bytes of page frames in this round so far.</param>
/// <param name="RoundBytes">Bytes of the pages that the round began with; zero pages among them are not sent.</param>
public sealed record ProgressEvent(int Round, ulong Bytes, ulong RoundBytes) : SendEvent;

/// <summary>A round of pages is in place at the destination.</summary>
/// <param name="Round">Its number, from 1.</param>
/// <param name="Pages">Pages sent.</param>
/// <param name="ZeroPages">Pages that were all zero.</param>
/// <param name="Bytes">Bytes on the wire.</param>
/// <param name="Milliseconds">How long it took.</param>
/// <param name="DirtyPages">Pages that the machine wrote meanwhile.</param>
/// <param name="DirtyRate">Bytes a second that it wrote, counted in whole pages.</param>
/// <param name="MemoryBytes">Guest memory, for a bar.</param>
public sealed record RoundEvent(
    int Round, ulong Pages, ulong ZeroPages, ulong Bytes, int Milliseconds, ulong DirtyPages, ulong DirtyRate, ulong MemoryBytes) : SendEvent;

/// <summary>The vCPUs are slowed.</summary>
/// <param name="Percent">0 none, 99 almost stopped.</param>
public sealed record ThrottleEvent(int Percent) : SendEvent;

/// <summary>The machine stands still.</summary>
/// <param name="Pages">Pages that are left to be sent.</param>
public sealed record StoppedEvent(ulong Pages) : SendEvent;

/// <summary>The destination has applied everything and read it back.</summary>
public sealed record AppliedEvent : SendEvent;

/// <summary>The source never runs the machine again without the handover id.</summary>
public sealed record ReleasedEvent : SendEvent;

/// <summary>The connection was lost after the release; the agent is asked.</summary>
/// <param name="Attempt">How often, this one included.</param>
/// <param name="Answer">What the last answer was, for people; empty before the first.</param>
public sealed record AskingEvent(int Attempt, string Answer) : SendEvent;

/// <summary>The destination runs the machine.</summary>
public sealed record RunningEvent : SendEvent;

/// <summary>The move is done.</summary>
/// <param name="Report">What it came to.</param>
public sealed record DoneEvent(SendReport Report) : SendEvent;

internal static class SendEventShapes
{
    public static Shape<SendEvent> Make() =>
        new UnionShape<SendEvent>("SendEvent", "One line of send --json.")
            .With("connected", Connected())
            .With("verdict", Verdict())
            .With("progress", Sending())
            .With("round", Round())
            .With("throttle", Throttle())
            .With("stopped", Stopped())
            .With("applied", Empty<AppliedEvent>("AppliedEvent", "The destination has applied everything and read it back."))
            .With("released", Empty<ReleasedEvent>("ReleasedEvent", "The source never runs the machine again without the handover id."))
            .With("asking", Asking())
            .With("running", Empty<RunningEvent>("RunningEvent", "The destination runs the machine."))
            .With("done", Done());

    private static Shape<T> Empty<T>(string title, string description)
        where T : new() => new RecordShape<T>(title, description).Build(_ => new T());

    private static Shape<ConnectedEvent> Connected()
    {
        var record = new RecordShape<ConnectedEvent>("ConnectedEvent", "The agent answered.");
        var id = record.Required("handoverId", Handover.HandoverId.Shape, e => e.HandoverId, "The handover's id.");
        var name = record.Required("vmName", Shapes.Text, e => e.VmName, "Name of the machine.");
        var agent = record.Required("agent", Shapes.Text, e => e.Agent, "HOST:PORT of the agent.");
        var agentId = record.Required("agentId", Handover.HandoverId.Shape, e => e.AgentId, "The agent's identity.");
        var host = record.Required("hostName", Shapes.Text, e => e.HostName, "The agent's host.");
        return record.Build(v => new ConnectedEvent(v.Get(id), v.Get(name), v.Get(agent), v.Get(agentId), v.Get(host)));
    }

    private static Shape<VerdictEvent> Verdict()
    {
        var record = new RecordShape<VerdictEvent>("VerdictEvent", "The destination's verdict.");
        var report = record.Required("report", Documents.CheckReport, e => e.Report, "The report.");
        return record.Build(v => new VerdictEvent(v.Get(report)));
    }

    private static Shape<ProgressEvent> Sending()
    {
        var record = new RecordShape<ProgressEvent>("ProgressEvent", "Pages are being sent.");
        var round = record.Required("round", Shapes.Int32, e => e.Round, "The round, from 1.");
        var bytes = record.Required("bytes", Shapes.Hex64, e => e.Bytes, "Bytes of page frames in this round so far.");
        var all = record.Required("roundBytes", Shapes.Hex64, e => e.RoundBytes, "Bytes of the pages that the round began with.");
        return record.Build(v => new ProgressEvent(v.Get(round), v.Get(bytes), v.Get(all)));
    }

    private static Shape<RoundEvent> Round()
    {
        var record = new RecordShape<RoundEvent>("RoundEvent", "A round of pages is in place at the destination.");
        var round = record.Required("round", Shapes.Int32, e => e.Round, "Its number, from 1.");
        var pages = record.Required("pages", Shapes.Hex64, e => e.Pages, "Pages sent.");
        var zero = record.Required("zeroPages", Shapes.Hex64, e => e.ZeroPages, "Pages that were all zero.");
        var bytes = record.Required("bytes", Shapes.Hex64, e => e.Bytes, "Bytes on the wire.");
        var milliseconds = record.Required("milliseconds", Shapes.Int32, e => e.Milliseconds, "How long it took.");
        var dirty = record.Required("dirtyPages", Shapes.Hex64, e => e.DirtyPages, "Pages that the machine wrote meanwhile.");
        var rate = record.Required("dirtyRate", Shapes.Hex64, e => e.DirtyRate, "Bytes a second that it wrote, in whole pages.");
        var memory = record.Required("memoryBytes", Shapes.Hex64, e => e.MemoryBytes, "Guest memory.");
        return record.Build(v => new RoundEvent(
            v.Get(round), v.Get(pages), v.Get(zero), v.Get(bytes), v.Get(milliseconds), v.Get(dirty), v.Get(rate), v.Get(memory)));
    }

    private static Shape<ThrottleEvent> Throttle()
    {
        var record = new RecordShape<ThrottleEvent>("ThrottleEvent", "The vCPUs are slowed.");
        var percent = record.Required("percent", Shapes.Int32, e => e.Percent, "0 none, 99 almost stopped.");
        return record.Build(v => new ThrottleEvent(v.Get(percent)));
    }

    private static Shape<StoppedEvent> Stopped()
    {
        var record = new RecordShape<StoppedEvent>("StoppedEvent", "The machine stands still.");
        var pages = record.Required("pages", Shapes.Hex64, e => e.Pages, "Pages that are left to be sent.");
        return record.Build(v => new StoppedEvent(v.Get(pages)));
    }

    private static Shape<AskingEvent> Asking()
    {
        var record = new RecordShape<AskingEvent>("AskingEvent", "The connection was lost after the release; the agent is asked.");
        var attempt = record.Required("attempt", Shapes.Int32, e => e.Attempt, "How often, this one included.");
        var answer = record.Optional("answer", Shapes.Text, e => e.Answer, "", "What the last answer was.");
        return record.Build(v => new AskingEvent(v.Get(attempt), v.Get(answer)));
    }

    private static Shape<DoneEvent> Done()
    {
        var record = new RecordShape<DoneEvent>("DoneEvent", "The move is done.");
        var report = record.Required("report", SendReport.Shape, e => e.Report, "What it came to.");
        return record.Build(v => new DoneEvent(v.Get(report)));
    }
}
