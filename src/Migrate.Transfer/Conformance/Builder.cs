using Migrate.Linux.Memory;
using Migrate.Model;
using Migrate.Model.Encoding;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Ports;
using Migrate.Model.Registers;
using Migrate.Transfer.Machines;
using Migrate.Transfer.Pages;
using Migrate.Transfer.Wire;

namespace Migrate.Transfer.Conformance;

/// <summary>An incoming session in which a check builds as much of the captured machine as it needs.</summary>
internal sealed class Builder : IDisposable
{
    private readonly Bench _bench;

    /// <summary>Takes the session.</summary>
    public Builder(Subject place, MachineClient client, Bench bench)
    {
        _bench = bench;
        Place = place;
        Client = client;
        client.Ask(FrameKind.OpenIncoming, FrameKind.SessionOpened, MachineMessages.SessionOpened);
    }

    public Subject Place { get; }

    public MachineClient Client { get; }

    /// <summary>What the plan does before the first page.</summary>
    public IReadOnlyList<RestoreStep> PrepareSteps => Steps(StepPhase.Prepare);

    /// <summary>What the plan does after the stop.</summary>
    public IReadOnlyList<RestoreStep> ApplySteps => Steps(StepPhase.Apply);

    /// <summary>A write to a register that no vCPU has: refused by every host, and harmless.</summary>
    public static RestoreStep Refused(StepPhase phase) => new WriteRegister(0, Nowhere.Id, new RegisterValue(1), null, phase);

    /// <summary>A register that no vCPU has: a firmware register far behind the last.</summary>
    public static RegisterAddress Nowhere { get; } = new(0, RegisterId.Of(RegisterClass.Firmware, 0xfffe, 8));

    public void Begin() => Begin(_bench.State.Vm);

    public void Begin(VmDescription vm) => Client.Tell(FrameKind.Begin, Documents.VmDescription, vm);

    /// <summary>Leads to the applied state by a step that is refused.</summary>
    public void EnterApplied() => Execute(Refused(StepPhase.Apply));

    public EquatableArray<StepAnswer> Execute(params RestoreStep[] steps) =>
        Client.Ask(FrameKind.Execute, MachineMessages.Steps, EquatableArray.Create<RestoreStep>(steps), FrameKind.Answers, MachineMessages.Answers);

    /// <summary>The same for as many steps as there are.</summary>
    public IReadOnlyList<StepAnswer> ExecuteAll(IReadOnlyList<RestoreStep> steps) => [.. steps.Chunk(MachineMessages.MaxBatch).SelectMany(batch => Execute(batch))];

    public EquatableArray<ReadAnswer> Read(params RegisterAddress[] registers) =>
        Client.Ask(FrameKind.Read, MachineMessages.Registers, EquatableArray.Create<RegisterAddress>(registers), FrameKind.Values, MachineMessages.Values);

    public MappedMemory Memory() => Place.Hold(SessionMemory.Fetch(Client, null, MappingAccess.ReadWrite));

    /// <summary>Copies what a stopped machine's memory holds.</summary>
    public void Fill(MappedMemory source)
    {
        using var memory = SessionMemory.Fetch(Client, null, MappingAccess.ReadWrite);
        foreach (var from in source.Slots)
        {
            if (!memory.TryFind(from.Slot.Slot, out var to)) throw new BrokenPromiseException($"the incoming machine has no memory slot {from.Slot.Slot}");
            for (var at = 0L; from.File.TryFindData(at, out var start, out at);)
                for (var part = start; part < at; part += 1 << 20)
                {
                    var bytes = from.Mapping.View(part, (int)Math.Min(1 << 20, at - part));
                    bytes.CopyTo(to.Mapping.Slice(part, bytes.Length));
                }
        }
    }

    public void Start(string handover) => Client.Tell(FrameKind.StartMachine, MachineMessages.Handover, handover);

    /// <summary>Ends the connection without a word.</summary>
    public void Die() => Client.Dispose();

    public void Dispose() => Die();

    private IReadOnlyList<RestoreStep> Steps(StepPhase phase) => [.. _bench.Plan.Steps.Where(s => s.Phase == phase && s is not LeaveOut)];
}
