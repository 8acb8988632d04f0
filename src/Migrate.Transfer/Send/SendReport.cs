using Migrate.Model.Encoding;

namespace Migrate.Transfer.Send;

/// <summary>How long the machine stood still, and for what; microseconds.</summary>
/// <param name="LastRound">Quiesce and the last harvest of dirty pages.</param>
/// <param name="Capture">Reading the state.</param>
/// <param name="Send">Sending the last pages and the state.</param>
/// <param name="Apply">Until the destination had applied and read back everything.</param>
/// <param name="Start">Record, release, START, until the destination answered that it runs.</param>
public readonly record struct Downtime(int LastRound, int Capture, int Send, int Apply, int Start)
{
    /// <summary>All of it.</summary>
    public int Total => LastRound + Capture + Send + Apply + Start;
}

/// <summary>What a finished move came to.</summary>
public sealed record SendReport
{
    /// <summary>The handover's id.</summary>
    public required string HandoverId { get; init; }

    /// <summary>Name of the machine.</summary>
    public required string VmName { get; init; }

    /// <summary>HOST:PORT of the agent.</summary>
    public required string Agent { get; init; }

    /// <summary>Rounds while the machine ran, and the last one.</summary>
    public required int Rounds { get; init; }

    /// <summary>Pages sent, each as often as it was sent.</summary>
    public required ulong Pages { get; init; }

    /// <summary>Pages that were all zero and were not sent.</summary>
    public required ulong ZeroPages { get; init; }

    /// <summary>Bytes of page frames.</summary>
    public required ulong Bytes { get; init; }

    /// <summary>From the first byte to the end, in milliseconds.</summary>
    public required int Milliseconds { get; init; }

    /// <summary>Bytes a second while pages were sent.</summary>
    public required ulong Throughput { get; init; }

    /// <summary>The highest throttle that was needed, in percent.</summary>
    public required int Throttle { get; init; }

    /// <summary>How long the machine stood still.</summary>
    public required Downtime Downtime { get; init; }

    /// <summary>Whether digests of guest memory were compared and equal.</summary>
    public required bool Verified { get; init; }

    /// <summary>Something that the operator should know although the move succeeded; empty for nothing.</summary>
    public string Note { get; init; } = "";

    /// <summary>How it is written.</summary>
    public static Shape<SendReport> Shape { get; } = Make();

    private static Shape<SendReport> Make()
    {
        var split = new RecordShape<Downtime>("Downtime", "How long the machine stood still, and for what; microseconds.");
        var lastRound = split.Required("lastRound", Shapes.Int32, d => d.LastRound, "Quiesce and the last harvest of dirty pages.");
        var capture = split.Required("capture", Shapes.Int32, d => d.Capture, "Reading the state.");
        var send = split.Required("send", Shapes.Int32, d => d.Send, "Sending the last pages and the state.");
        var apply = split.Required("apply", Shapes.Int32, d => d.Apply, "Until the destination had applied and read back everything.");
        var start = split.Required("start", Shapes.Int32, d => d.Start, "Record, release and start.");
        split.OneLine();
        var downtimeShape = split.Build(v => new Downtime(v.Get(lastRound), v.Get(capture), v.Get(send), v.Get(apply), v.Get(start)));

        var record = new RecordShape<SendReport>("SendReport", "What a finished move came to.");
        var id = record.Required("handoverId", Handover.HandoverId.Shape, r => r.HandoverId, "The handover's id.");
        var name = record.Required("vmName", Shapes.Text, r => r.VmName, "Name of the machine.");
        var agent = record.Required("agent", Shapes.Text, r => r.Agent, "HOST:PORT of the agent.");
        var rounds = record.Required("rounds", Shapes.Int32, r => r.Rounds, "Rounds, the last one included.");
        var pages = record.Required("pages", Shapes.Hex64, r => r.Pages, "Pages sent.");
        var zero = record.Required("zeroPages", Shapes.Hex64, r => r.ZeroPages, "Pages that were all zero and were not sent.");
        var bytes = record.Required("bytes", Shapes.Hex64, r => r.Bytes, "Bytes of page frames.");
        var milliseconds = record.Required("milliseconds", Shapes.Int32, r => r.Milliseconds, "How long it took.");
        var throughput = record.Required("throughput", Shapes.Hex64, r => r.Throughput, "Bytes a second while pages were sent.");
        var throttle = record.Required("throttle", Shapes.Int32, r => r.Throttle, "The highest throttle that was needed, in percent.");
        var downtime = record.Required("downtime", downtimeShape, r => r.Downtime, "How long the machine stood still.");
        var verified = record.Required("verified", Shapes.Boolean, r => r.Verified, "Whether digests of guest memory were compared and equal.");
        var note = record.Optional("note", Shapes.Text, r => r.Note, "", "What the operator should know.");
        return record.Build(v => new SendReport
        {
            HandoverId = v.Get(id),
            VmName = v.Get(name),
            Agent = v.Get(agent),
            Rounds = v.Get(rounds),
            Pages = v.Get(pages),
            ZeroPages = v.Get(zero),
            Bytes = v.Get(bytes),
            Milliseconds = v.Get(milliseconds),
            Throughput = v.Get(throughput),
            Throttle = v.Get(throttle),
            Downtime = v.Get(downtime),
            Verified = v.Get(verified),
            Note = v.Get(note),
        });
    }
}
