using Migrate.Model.Errors;
using Migrate.Model.Plans;
using Migrate.Model.Ports;
using Migrate.Transfer.Machines;

namespace Migrate.Transfer.Conformance.Checks;

/// <summary>The machine that is being built, and its one start.</summary>
internal static class ArrivalChecks
{
    /// <summary>What no VMM calls a handler of its own.</summary>
    private const string NoHandler = "conformance-no-such-handler";

    public static void BeginHandlers(Bench bench)
    {
        var builder = new Builder(bench.Incoming, bench.Incoming.Connect(), bench);
        Subject.Refused(ErrorCode.Refused, $"begin of a machine with the handler {NoHandler}", () => builder.Begin(bench.State.Vm with { Handlers = [NoHandler] }));
        bench.Incoming.RequireState(LifecycleState.Incoming, "begin of a machine with a handler that no VMM has was refused");
        builder.Begin();
    }

    public static void StepRefused(Bench bench)
    {
        var builder = Begun(bench);
        var steps = builder.PrepareSteps;
        var batch = steps.Take(1).Append(Builder.Refused(StepPhase.Prepare)).Concat(steps.Skip(1)).ToArray();
        var answers = builder.Execute(batch);
        if (answers.Count != batch.Length) throw new BrokenPromiseException($"{batch.Length} steps were answered with {answers.Count} answers");
        if (answers[1].Errno <= 0) throw new BrokenPromiseException($"a write to a register that no vCPU has was answered with errno {answers[1].Errno}");
        for (var i = 0; i < batch.Length; i++)
            if (batch[i] is MapMemory map && answers[i].Errno != 0)
                throw new BrokenPromiseException($"memory slot {map.Slot.Slot} was answered with errno {answers[i].Errno} behind a step that was refused");
        var memory = builder.Memory();
        if (memory.Slots.Count != bench.State.Vm.Memory.Count)
            throw new BrokenPromiseException($"steps behind one that was refused did not run: {memory.Slots.Count} of {bench.State.Vm.Memory.Count} memory slots are there");
    }

    public static void Phases(Bench bench)
    {
        var builder = Begun(bench);
        builder.Execute(builder.PrepareSteps[0]);
        Subject.Refused(ErrorCode.WrongState, "a step of the prepare phase behind one of the apply phase in one batch",
            () => builder.Execute(Builder.Refused(StepPhase.Apply), Builder.Refused(StepPhase.Prepare)));
        builder.EnterApplied();
        Subject.Refused(ErrorCode.WrongState, "a step of the prepare phase after one of the apply phase", () => builder.Execute(Builder.Refused(StepPhase.Prepare)));
    }

    public static void AppliedAtOnce(Bench bench)
    {
        var builder = Begun(bench);
        builder.EnterApplied();
        bench.Incoming.RequireState(LifecycleState.Applied, "a step of the apply phase was executed and refused");
    }

    public static void ReadValues(Bench bench)
    {
        var builder = Begun(bench);
        builder.ExecuteAll(builder.PrepareSteps);
        var written = builder.ApplySteps.OfType<WriteRegister>().Where(w => w.ReadsBack is not null).Take(32).ToList();
        var answers = builder.ExecuteAll([.. written]);
        var taken = written.Where((_, i) => answers[i].Succeeded).ToList();
        if (taken.Count == 0) throw new NotTriedException("the incoming machine took none of the registers that were captured");
        var values = builder.Read([.. taken.Select(w => new RegisterAddress(w.Vcpu, w.Id)), Builder.Nowhere]);
        if (values.Count != taken.Count + 1) throw new BrokenPromiseException($"{taken.Count + 1} registers were answered with {values.Count} values");
        for (var i = 0; i < taken.Count; i++)
            if (values[i].Errno != 0 || values[i].Value != taken[i].Value)
                throw new BrokenPromiseException($"register {taken[i].Id} was written as {taken[i].Value} and reads as {values[i].Value} (errno {values[i].Errno})");
        if (values[^1].Errno <= 0) throw new BrokenPromiseException($"a register that no vCPU has reads with errno {values[^1].Errno}");
    }

    public static void Memory(Bench bench)
    {
        var builder = Begun(bench);
        builder.ExecuteAll(builder.PrepareSteps);
        var first = builder.Memory();
        if (!first.Slots.Select(s => s.Slot).SequenceEqual(bench.State.Vm.Memory)) throw new BrokenPromiseException("the memory of the incoming machine is not that of its description");
        first.Slots[0].Mapping.Slice(0, 1)[0] = 0x5a;
        if (builder.Memory().Slots[0].Mapping.View(0, 1)[0] != 0x5a)
            throw new BrokenPromiseException("what was written into the memory of the incoming machine is not there when it is asked for again");
    }

    public static void LossDiscards(Bench bench)
    {
        foreach (var applied in new[] { false, true })
        {
            var builder = Begun(bench);
            builder.ExecuteAll(builder.PrepareSteps);
            if (applied) builder.EnterApplied();
            builder.Die();
            bench.Incoming.Await(LifecycleState.Incoming, $"the connection of a session ended while the machine was {(applied ? "applied" : "prepared")}");
        }
        // What was built is gone: it can be built again from the first step on.
        var again = Begun(bench);
        var first = again.Execute(again.PrepareSteps[0])[0];
        if (!first.Succeeded) throw new BrokenPromiseException($"after a machine was thrown away, the first step of the next was answered with errno {first.Errno} {first.Note}");
    }

    public static void StartRuns(Bench bench)
    {
        bench.HandOver();
        var status = bench.Incoming.Status();
        if (status.State != LifecycleState.Running || status.HandoverId != bench.Source.HandoverId || status.Session.Length > 0)
            throw new BrokenPromiseException($"start-machine was answered, and status says {Lifecycle.Name(status.State)} under '{status.HandoverId}', session '{status.Session}'");
        if (status.VmId != bench.State.Vm.Id || status.Name != bench.State.Vm.Name)
            throw new BrokenPromiseException($"the machine that was started is {status.Name} ({status.VmId}) instead of {bench.State.Vm.Name} ({bench.State.Vm.Id})");
    }

    public static void StartOnce(Bench bench)
    {
        bench.HandOver();
        var client = bench.Incoming.Connect();
        Subject.Refused(ErrorCode.WrongState, "a second start-machine", () => client.Tell(Wire.FrameKind.StartMachine, MachineMessages.Handover, bench.Source.HandoverId));
    }

    public static void DestroyPaused(Bench bench)
    {
        bench.HandOver();
        var client = bench.Incoming.Connect();
        client.Pause();
        Subject.Refused(ErrorCode.WrongState, "destroy of a paused machine under a handover id", () => client.Destroy("another-handover"));
        client.Destroy();
        if (!bench.Incoming.IsGone()) throw new BrokenPromiseException("destroy was answered, and the machine's process still serves its socket");
    }

    private static Builder Begun(Bench bench)
    {
        var builder = new Builder(bench.Incoming, bench.Incoming.Connect(), bench);
        builder.Begin();
        return builder;
    }
}
