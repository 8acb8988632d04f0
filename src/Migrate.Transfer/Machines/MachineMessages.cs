using Migrate.Model;
using Migrate.Model.Encoding;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Ports;

namespace Migrate.Transfer.Machines;

/// <summary>How a machine is, as its process says.</summary>
public sealed record MachineStatus
{
    /// <summary>The machine's name; of an incoming one, the name of its process until it has its own.</summary>
    public required string Name { get; init; }

    /// <summary>Identity of the VM; empty while there is none.</summary>
    public string VmId { get; init; } = "";

    /// <summary>The process that owns it.</summary>
    public required int Pid { get; init; }

    /// <summary>Where it stands.</summary>
    public required LifecycleState State { get; init; }

    /// <summary>The handover under which it was last released, or started here; empty for none.</summary>
    public string HandoverId { get; init; } = "";

    /// <summary>Who holds the migration session, for people; empty when nobody does.</summary>
    public string Session { get; init; } = "";

    /// <summary>Something went wrong without anybody to tell, for people; empty for nothing.</summary>
    public string Note { get; init; } = "";

    /// <summary>The machine's counters as they were last read.</summary>
    public EquatableArray<KeyValuePair<string, ulong>> Counters { get; init; }
}

/// <summary>Answer to a request for a session.</summary>
/// <param name="PageSize">Bytes that a bit of the dirty bitmap stands for; 0 for an incoming machine.</param>
/// <param name="Slots">How many memory slots; 0 for an incoming machine.</param>
/// <param name="WasRunning">Whether the machine ran when the session was opened.</param>
internal sealed record SessionOpened(int PageSize, int Slots, bool WasRunning);

/// <summary>Slots of guest memory; one descriptor for each travels with the frame.</summary>
/// <param name="First">Index of the first in the order of the description.</param>
/// <param name="Total">How many the machine has.</param>
/// <param name="Slots">The slots.</param>
internal sealed record MemoryReply(int First, int Total, EquatableArray<MemorySlot> Slots);

/// <summary>Answer to collect.</summary>
/// <param name="Epoch">Number of this collection, from 1.</param>
/// <param name="Pages">Bits set in the shared bitmap.</param>
internal sealed record CollectReply(long Epoch, long Pages);

/// <summary>An event for the guest.</summary>
/// <param name="Vcpu">To which vCPU.</param>
/// <param name="Number">Its number in SDEI (Arm DEN 0054, section 4.1).</param>
internal readonly record struct GuestEvent(int Vcpu, uint Number);

/// <summary>How each message of the machine socket is written.</summary>
internal static class MachineMessages
{
    /// <summary>Most steps or registers of one request.</summary>
    public const int MaxBatch = 4096;

    /// <summary>Longest note of a step's answer.</summary>
    public const int MaxNote = 512;

    public const int MaxCounters = 256;

    public static Shape<MachineStatus> Status { get; } = MakeStatus();

    public static Shape<SessionOpened> SessionOpened { get; } = MakeSessionOpened();

    public static Shape<int> FirstSlot { get; } = Single("GetMemory", "first", Shapes.Int32, "Index of the first slot that is wanted.");

    public static Shape<MemoryReply> Memory { get; } = MakeMemory();

    public static Shape<long> Consumed { get; } = Single("Collect", "consumed", Shapes.Int64, "The last epoch whose bitmap was copied; 0 for none.");

    public static Shape<CollectReply> Collected { get; } = MakeCollected();

    public static Shape<int> Percent { get; } = Single("Throttle", "percent", Shapes.Int32, "0 none, 99 almost stopped.");

    public static Shape<string> Handover { get; } = Single("Handover", "handoverId", Shapes.Text, "Id of the handover; empty for none.");

    public static Shape<EquatableArray<RestoreStep>> Steps { get; } =
        Single("Execute", "steps", Shapes.List(Documents.RestoreStep, MaxBatch), "Steps in the order of their execution.");

    public static Shape<EquatableArray<StepAnswer>> Answers { get; } =
        Single("Answers", "answers", Shapes.List(Documents.StepAnswer, MaxBatch), "One a step, in order.");

    public static Shape<EquatableArray<RegisterAddress>> Registers { get; } =
        Single("Read", "registers", Shapes.List(Documents.RegisterAddress, MaxBatch), "Registers to read.");

    public static Shape<EquatableArray<ReadAnswer>> Values { get; } =
        Single("Values", "values", Shapes.List(Documents.ReadAnswer, MaxBatch), "One a register, in order.");

    public static Shape<GuestEvent> Event { get; } = MakeEvent();

    private static Shape<V> Single<V>(string title, string name, Shape<V> shape, string description)
    {
        var record = new RecordShape<V>(title, description);
        var field = record.Required(name, shape, v => v, description);
        return record.Build(v => v.Get(field));
    }

    private static Shape<MachineStatus> MakeStatus()
    {
        var counter = new RecordShape<KeyValuePair<string, ulong>>("Counter", "One counter of a machine.");
        var counterName = counter.Required("name", Shapes.Text, c => c.Key, "Its name.");
        var counterValue = counter.Required("value", Shapes.Hex64, c => c.Value, "Its value.");
        var counters = Shapes.List(counter.Build(v => KeyValuePair.Create(v.Get(counterName), v.Get(counterValue))), MaxCounters);

        var record = new RecordShape<MachineStatus>("MachineStatus", "How a machine is, as its process says.");
        var name = record.Required("name", Shapes.Text, s => s.Name, "The machine's name.");
        var vmId = record.Optional("vmId", Shapes.Text, s => s.VmId, "", "Identity of the VM.");
        var pid = record.Required("pid", Shapes.Int32, s => s.Pid, "The process that owns it.");
        var state = record.Required("state", Shapes.Enum<LifecycleState>(), s => s.State, "Where it stands.");
        var handover = record.Optional("handoverId", Shapes.Text, s => s.HandoverId, "", "The handover under which it was last released, or started here.");
        var session = record.Optional("session", Shapes.Text, s => s.Session, "", "Who holds the migration session.");
        var note = record.Optional("note", Shapes.Text, s => s.Note, "", "Something went wrong without anybody to tell.");
        var values = record.Optional("counters", counters, s => s.Counters, [], "The machine's counters.");
        return record.Build(v => new MachineStatus
        {
            Name = v.Get(name),
            VmId = v.Get(vmId),
            Pid = v.Get(pid),
            State = v.Get(state),
            HandoverId = v.Get(handover),
            Session = v.Get(session),
            Note = v.Get(note),
            Counters = v.Get(values),
        });
    }

    private static Shape<GuestEvent> MakeEvent()
    {
        var record = new RecordShape<GuestEvent>("InjectEvent", "An event for the guest.");
        var vcpu = record.Required("vcpu", Shapes.Int32, e => e.Vcpu, "To which vCPU.");
        var number = record.Required("event", Shapes.UInt32, e => e.Number, "Its number in SDEI.");
        return record.Build(v => new GuestEvent(v.Get(vcpu), v.Get(number)));
    }

    private static Shape<SessionOpened> MakeSessionOpened()
    {
        var record = new RecordShape<SessionOpened>("SessionOpened", "Answer to a request for a session.");
        var pageSize = record.Required("pageSize", Shapes.Int32, s => s.PageSize, "Bytes that a bit of the dirty bitmap stands for; 0 for an incoming machine.");
        var slots = record.Required("slots", Shapes.Int32, s => s.Slots, "How many memory slots; 0 for an incoming machine.");
        var wasRunning = record.Required("wasRunning", Shapes.Boolean, s => s.WasRunning, "Whether the machine ran when the session was opened.");
        return record.Build(v => new SessionOpened(v.Get(pageSize), v.Get(slots), v.Get(wasRunning)));
    }

    private static Shape<MemoryReply> MakeMemory()
    {
        var record = new RecordShape<MemoryReply>("Memory", "Slots of guest memory, a descriptor for each.");
        var first = record.Required("first", Shapes.Int32, m => m.First, "Index of the first.");
        var total = record.Required("total", Shapes.Int32, m => m.Total, "How many the machine has.");
        var slots = record.Required("slots", Shapes.List(Documents.MemorySlot, 32), m => m.Slots, "The slots.");
        return record.Build(v => new MemoryReply(v.Get(first), v.Get(total), v.Get(slots)));
    }

    private static Shape<CollectReply> MakeCollected()
    {
        var record = new RecordShape<CollectReply>("Collected", "Answer to collect.");
        var epoch = record.Required("epoch", Shapes.Int64, c => c.Epoch, "Number of this collection, from 1.");
        var pages = record.Required("pages", Shapes.Int64, c => c.Pages, "Bits set in the bitmap.");
        return record.Build(v => new CollectReply(v.Get(epoch), v.Get(pages)));
    }
}
