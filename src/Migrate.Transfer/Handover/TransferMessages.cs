using Migrate.Model;
using Migrate.Model.Encoding;
using Migrate.Model.Errors;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Ports;
using Migrate.Preflight;

namespace Migrate.Transfer.Handover;

/// <summary>First frame of a move.</summary>
/// <param name="HandoverId">Made by the sender.</param>
internal sealed record Hello(string HandoverId);

/// <summary>Answer to <see cref="Hello"/>.</summary>
/// <param name="AgentId">The agent's durable identity.</param>
/// <param name="HostName">For people.</param>
internal sealed record Welcome(string AgentId, string HostName);

/// <summary>A machine to be judged, for a move or for a check.</summary>
internal sealed record Offer
{
    public required MachineReport Report { get; init; }

    public Policy Policy { get; init; } = Policy.Vmmigrate;

    public EquatableArray<FindingCode> Accept { get; init; }

    public bool AcceptAssumed { get; init; }

    /// <summary>Whether the answer to a check should hold the plan.</summary>
    public bool IncludePlan { get; init; }

    public PlanOptions Options => new()
    {
        Policy = Policy,
        Accept = Accept.ToHashSet(),
        AcceptAssumed = AcceptAssumed,
        Undescribable = Report.Undescribable,
    };
}

/// <summary>Why a move is refused.</summary>
internal sealed record Refusal
{
    public required ErrorCode Code { get; init; }

    public required Stage Stage { get; init; }

    public required string Reason { get; init; }

    public string Remedy { get; init; } = "";

    public bool Transient { get; init; }

    public CheckReport? Report { get; init; }

    public RunReport? Run { get; init; }
}

/// <summary>The state of the stopped machine.</summary>
/// <param name="State">As captured.</param>
/// <param name="Digest">Whether the answer should hold a digest of guest memory.</param>
internal sealed record FinalState(MachineState State, bool Digest);

/// <summary>All is applied and read back.</summary>
/// <param name="Run">What the plan's run came to.</param>
/// <param name="Digest">Of guest memory, if it was asked for.</param>
internal sealed record AppliedState(RunReport Run, EquatableArray<byte> Digest);

/// <summary>Which side runs a handover's machine, as its agent answers.</summary>
public enum Outcome
{
    /// <summary>It runs at the agent's host.</summary>
    Running = 1,

    /// <summary>It never runs there; durable before it is said.</summary>
    Never = 2,

    /// <summary>Ask again.</summary>
    Pending = 3,

    /// <summary>START was received and what became of it cannot be told.</summary>
    Unknown = 4,
}

/// <summary>A question for the outcome.</summary>
/// <param name="HandoverId">Of which handover.</param>
/// <param name="AgentId">Whom the asker believes to ask.</param>
internal sealed record OutcomeQuestion(string HandoverId, string AgentId);

/// <summary>What an agent is doing.</summary>
public sealed record AgentStatus
{
    /// <summary>Its durable identity.</summary>
    public required string AgentId { get; init; }

    /// <summary>Its host, for people.</summary>
    public required string HostName { get; init; }

    /// <summary>Its process.</summary>
    public required int Pid { get; init; }

    /// <summary>The moves in progress.</summary>
    public EquatableArray<AgentMove> Moves { get; init; }
}

/// <summary>One move that an agent receives.</summary>
/// <param name="HandoverId">Its id.</param>
/// <param name="VmName">Name of the machine; empty before the offer.</param>
/// <param name="Peer">Where it comes from.</param>
/// <param name="State">Where it stands.</param>
/// <param name="Pages">Pages received.</param>
/// <param name="Bytes">Bytes received in page frames.</param>
public sealed record AgentMove(string HandoverId, string VmName, string Peer, Receive.DestinationState State, ulong Pages, ulong Bytes);

/// <summary>How each message between sender and agent is written.</summary>
internal static class TransferMessages
{
    private const int MaxMoves = 256;

    public static Shape<Hello> Hello { get; } = MakeHello();

    public static Shape<Welcome> Welcome { get; } = MakeWelcome();

    public static Shape<Offer> Offer { get; } = MakeOffer();

    public static Shape<Refusal> Refusal { get; } = MakeRefusal();

    public static Shape<int> Round { get; } = Single("Round", "round", Shapes.Int32, "Number of the round, from 1.");

    public static Shape<FinalState> Final { get; } = MakeFinal();

    public static Shape<AppliedState> Applied { get; } = MakeApplied();

    public static Shape<string> Handover { get; } = Single("HandoverId", "handoverId", HandoverId.Shape, "The handover's id.");

    public static Shape<OutcomeQuestion> OutcomeQuestion { get; } = MakeQuestion();

    public static Shape<Outcome> Outcome { get; } = Single("Outcome", "outcome", Shapes.Enum<Outcome>(), "Which side runs the machine.");

    public static Shape<AgentStatus> AgentStatus { get; } = MakeStatus();

    private static Shape<V> Single<V>(string title, string name, Shape<V> shape, string description)
    {
        var record = new RecordShape<V>(title, description);
        var field = record.Required(name, shape, v => v, description);
        return record.Build(v => v.Get(field));
    }

    private static Shape<Hello> MakeHello()
    {
        var record = new RecordShape<Hello>("Hello", "First frame of a move.");
        var id = record.Required("handoverId", HandoverId.Shape, h => h.HandoverId, "The handover's id.");
        return record.Build(v => new Hello(HandoverId.Check(v.Get(id), "handover id")));
    }

    private static Shape<Welcome> MakeWelcome()
    {
        var record = new RecordShape<Welcome>("Welcome", "The agent says who it is.");
        var agent = record.Required("agentId", HandoverId.Shape, w => w.AgentId, "The agent's durable identity.");
        var host = record.Required("hostName", Shapes.Text, w => w.HostName, "Its host.");
        return record.Build(v => new Welcome(HandoverId.Check(v.Get(agent), "agent id"), v.Get(host)));
    }

    private static Shape<Offer> MakeOffer()
    {
        var record = new RecordShape<Offer>("Offer", "A machine to be judged, for a move or for a check.");
        var report = record.Required("report", Documents.MachineReport, o => o.Report, "The machine as its VMM describes it.");
        var policy = record.Optional("policy", Shapes.Enum<Policy>(), o => o.Policy, Policy.Vmmigrate, "Who restores.");
        var accept = record.Optional("accept", Shapes.List(Shapes.Enum<FindingCode>(), 64), o => o.Accept, [], "Findings that the operator accepts.");
        var assumed = record.Optional("acceptAssumed", Shapes.Boolean, o => o.AcceptAssumed, false, "Whether the verdict may rest on assumptions.");
        var plan = record.Optional("includePlan", Shapes.Boolean, o => o.IncludePlan, false, "Whether the report of a check holds the plan.");
        return record.Build(v => new Offer
        {
            Report = v.Get(report),
            Policy = v.Get(policy),
            Accept = v.Get(accept),
            AcceptAssumed = v.Get(assumed),
            IncludePlan = v.Get(plan),
        });
    }

    private static Shape<Refusal> MakeRefusal()
    {
        var record = new RecordShape<Refusal>("Refusal", "Why a move is refused.");
        var code = record.Required("code", Shapes.Enum<ErrorCode>(), r => r.Code, "Stable error code.");
        var stage = record.Required("stage", Shapes.Enum<Stage>(), r => r.Stage, "Stage of the move.");
        var reason = record.Required("reason", Shapes.Text, r => r.Reason, "One line.");
        var remedy = record.Optional("remedy", Shapes.Text, r => r.Remedy, "", "What the operator can do; the report has its own.");
        var transient = record.Optional("transient", Shapes.Boolean, r => r.Transient, false, "Whether the same move may succeed when tried again.");
        var report = record.Optional("report", Shapes.Optional(Documents.CheckReport), r => r.Report, null, "The verdict, where the plan says no.");
        var run = record.Optional("run", Shapes.Optional(Documents.RunReport), r => r.Run, null, "What the run of the plan came to, where it failed.");
        return record.Build(v => new Refusal
        {
            Code = v.Get(code),
            Stage = v.Get(stage),
            Reason = v.Get(reason),
            Remedy = v.Get(remedy),
            Transient = v.Get(transient),
            Report = v.Get(report),
            Run = v.Get(run),
        });
    }

    private static Shape<FinalState> MakeFinal()
    {
        var record = new RecordShape<FinalState>("Final", "The state of the stopped machine.");
        var state = record.Required("state", Documents.MachineState, f => f.State, "As captured.");
        var digest = record.Optional("digest", Shapes.Boolean, f => f.Digest, false, "Whether the answer should hold a digest of guest memory.");
        return record.Build(v => new FinalState(v.Get(state), v.Get(digest)));
    }

    private static Shape<AppliedState> MakeApplied()
    {
        var record = new RecordShape<AppliedState>("Applied", "All is applied and read back.");
        var run = record.Required("run", Documents.RunReport, a => a.Run, "What the plan's run came to.");
        var digest = record.Optional("digest", Shapes.Bytes(64), a => a.Digest, [], "SHA-256 over guest memory, if it was asked for.");
        return record.Build(v => new AppliedState(v.Get(run), v.Get(digest)));
    }

    private static Shape<OutcomeQuestion> MakeQuestion()
    {
        var record = new RecordShape<OutcomeQuestion>("OutcomeQuery", "Which side runs a handover's machine?");
        var id = record.Required("handoverId", HandoverId.Shape, q => q.HandoverId, "The handover's id.");
        var agent = record.Required("agentId", HandoverId.Shape, q => q.AgentId, "The agent that is believed to be asked.");
        return record.Build(v => new OutcomeQuestion(HandoverId.Check(v.Get(id), "handover id"), HandoverId.Check(v.Get(agent), "agent id")));
    }

    private static Shape<AgentStatus> MakeStatus()
    {
        var move = new RecordShape<AgentMove>("AgentMove", "One move that an agent receives.");
        var id = move.Required("handoverId", HandoverId.Shape, m => m.HandoverId, "Its id.");
        var name = move.Required("vmName", Shapes.Text, m => m.VmName, "Name of the machine; empty before the offer.");
        var peer = move.Required("peer", Shapes.Text, m => m.Peer, "Where it comes from.");
        var state = move.Required("state", Shapes.Enum<Receive.DestinationState>(), m => m.State, "Where it stands.");
        var pages = move.Required("pages", Shapes.Hex64, m => m.Pages, "Pages received.");
        var bytes = move.Required("bytes", Shapes.Hex64, m => m.Bytes, "Bytes received in page frames.");
        var moves = Shapes.List(
            move.Build(v => new AgentMove(v.Get(id), v.Get(name), v.Get(peer), v.Get(state), v.Get(pages), v.Get(bytes))), MaxMoves);

        var record = new RecordShape<AgentStatus>("AgentStatus", "What an agent is doing.");
        var agent = record.Required("agentId", HandoverId.Shape, s => s.AgentId, "Its durable identity.");
        var host = record.Required("hostName", Shapes.Text, s => s.HostName, "Its host.");
        var pid = record.Required("pid", Shapes.Int32, s => s.Pid, "Its process.");
        var list = record.Optional("moves", moves, s => s.Moves, [], "The moves in progress.");
        return record.Build(v => new AgentStatus { AgentId = v.Get(agent), HostName = v.Get(host), Pid = v.Get(pid), Moves = v.Get(list) });
    }
}
