using System.Globalization;
using System.Text;
using Migrate.Kvm.Handles;
using Migrate.Kvm.Scratch;
using Migrate.Kvm.State;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;
using Migrate.Preflight;

namespace Migrate.LabGuest.Jobs;

/// <summary>Capture, plan, restore into a fresh VM of the same host: everything reads back as captured, the documented exceptions listed.</summary>
internal static class RestoreJob
{
    private const int Spi = 40;

    /// <summary>Calls of an OEM, which promise no handler that has a name (SMCCC specification, DEN0028, owner 3).</summary>
    private static readonly SmcccFilterRange Forwarded = new(0x8300_0020, 16, SmcccAction.ForwardToUser);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly RegisterId Counter19 = RegisterId.Core(8 * 19, 8);

    public static void Run(JobContext context)
    {
        using var system = KvmSystem.Open();
        var all = ScratchStates.AllFeatures(system);
        context.Note($"features: {all}");
        context.Answer("restore-features.txt", $"{all}\n");
        (string Name, ScratchOptions Options)[] machines =
        [
            ("one vCPU, PSCI alone, not run", new ScratchOptions()),
            ("one vCPU, every feature, not run", new ScratchOptions { Features = all }),
            ("one vCPU, every feature, GICv3, not run", new ScratchOptions { Features = all, HasGic = true }),
            ("four vCPUs, GICv3 and ITS, not run", new ScratchOptions { Features = VcpuFeatures.Psci02, Vcpus = 4, HasGic = true, HasIts = true }),
        ];
        if (system.CheckExtension(Capability.ArmEl2) > 0)
            machines = [.. machines, ("one vCPU with EL2, GICv3, not run", new ScratchOptions { Features = VcpuFeatures.Psci02 | VcpuFeatures.El2, HasGic = true })];
        foreach (var (name, options) in machines)
        {
            context.Case(name, () =>
            {
                using var source = ScratchMachine.Create(system, options);
                FillVectors(context, source.Machine);
                RoundTrip(context, system, source, name);
            });
        }

        context.Case("ITS with a mapped device and a pending LPI", () => ItsJob.Run(system, source => RoundTrip(context, system, source, "ITS")));
        context.Case("SMCCC filter, stolen time, other timer interrupts, a pending SError", () => Unusual(context, system, all));
        context.Case("one vCPU that counts, after it ran", () => AfterRun(context, system, all, [ScratchGuests.Counting], "one, ran"));
        context.Case("one vCPU with a timer that runs", () => AfterRun(context, system, all, [ScratchGuests.TimerRunning], "one, timer"));
        context.Case("four vCPUs: timer running, timer interrupt pending, WFI, off; a shared interrupt pending", () => AfterRun(
            context, system, all, [ScratchGuests.TimerRunning, ScratchGuests.TimerPending, ScratchGuests.Waiting, null], "four, ran"));
    }

    /// <summary>No two vector registers alike, none of them zero.</summary>
    private static void FillVectors(JobContext context, KvmMachine machine)
    {
        var filled = 0;
        foreach (var vcpu in machine.Vcpus.Values)
        {
            foreach (var id in vcpu.ListRegisters().Where(IsVector))
            {
                var bytes = new byte[id.Size];
                for (var i = 0; i < bytes.Length; i++) bytes[i] = (byte)(filled + i * 7 + 1);
                vcpu.Set(id, new RegisterValue(bytes));
                filled++;
            }
        }
        context.Note($"{filled} vector registers filled");
    }

    /// <summary>V, Z, P and FFR, not the vector lengths.</summary>
    private static bool IsVector(RegisterId id) => id.Size == 16 || (id.Class == RegisterClass.Sve && RegisterCatalog.Name(id) != "SVE_VLS");

    /// <summary>Everything that a VMM sets up and no guest does.</summary>
    private static void Unusual(JobContext context, KvmSystem system, VcpuFeatures features)
    {
        using var builder = new KvmTarget(system);
        var options = new ScratchOptions { Features = features.Except(VcpuFeatures.PmuV3), HasGic = true, Vcpus = 2, Started = [0, 1] };
        var steps = ScratchMachine.Steps(options).Append(new InstallFilter(Forwarded)).ToList();
        var answers = builder.Execute(steps);
        var filter = answers[^1];
        CheckFailedException.That(answers.SkipLast(1).All(a => a.Succeeded), string.Join("; ", answers));
        using var source = ScratchMachine.Adopt(builder.Take());
        var stolen = new List<int>();
        foreach (var vcpu in source.Machine.Vcpus.Values)
        {
            CheckFailedException.Equal(0, vcpu.TrySetAttribute32(1, 0, 28), "virtual timer interrupt");
            CheckFailedException.Equal(0, vcpu.TrySetAttribute32(1, 1, 29), "physical timer interrupt");
            stolen.Add(vcpu.TrySetAttribute64(2, 0, ScratchMachine.MemoryBase + 0x1000 + 64 * (ulong)vcpu.Index));
        }
        CheckFailedException.Equal(0, source.Machine.Vcpus[1].TrySetEvents(new VcpuEvents(true, false, 0, false)), "KVM_SET_VCPU_EVENTS");
        context.Note($"unusual: filter {filter}, stolen time errno {string.Join(',', stolen)}");
        context.Answer("restore-unusual.txt", $"filter {filter.Errno}\nstolen {string.Join(',', stolen)}\n");
        RoundTrip(context, system, source, "unusual");
        var state = KvmCapture.Capture(source.Machine);
        CheckFailedException.Equal(filter.Succeeded ? 1 : 0, state.Vm.SmcccFilter.Count, "filter ranges captured");
        CheckFailedException.That(state.Vcpus[1].Events.SErrorPending, "the SError was not captured");
        CheckFailedException.Equal(stolen.Count(e => e == 0), state.Devices.Single(d => d.Kind == "vcpu").Attributes.Count(a => a.Group == 2), "stolen time captured");
    }

    private static void AfterRun(JobContext context, KvmSystem system, VcpuFeatures features, Func<int, uint[]>?[] guests, string name)
    {
        var started = Enumerable.Range(0, guests.Length).Where(i => guests[i] is not null).ToArray();
        var options = new ScratchOptions { Features = features, Vcpus = guests.Length, HasGic = true, Started = started };
        using var source = ScratchMachine.Create(system, options);
        for (var i = 0; i < guests.Length; i++)
            if (guests[i] is { } guest) source.Load(i, (ulong)i * 0x10000, guest(i));
        source.Start();
        for (var left = started.Length; left > 0; left--)
        {
            var report = source.Next(Patience);
            CheckFailedException.That(report.Reason == ExitReason.Mmio && report.Value == ScratchGuests.Ready + (uint)report.Vcpu, $"the guest did {report}");
        }
        source.Stop();
        if (guests.Length > 1) RaiseShared(source.Machine);
        if (guests.Length > 1) CheckPending(source);
        using var restored = RoundTrip(context, system, source, name);

        // The copy goes on where the original stopped.
        var counters = started.Select(i => (Vcpu: i, Before: restored.Vcpus[i].Get(Counter19).Low)).ToList();
        using var run = ScratchMachine.Adopt(restored);
        run.Start();
        Thread.Sleep(200);
        run.Stop();
        foreach (var (vcpu, before) in counters)
        {
            var counts = guests[vcpu] == ScratchGuests.Counting || guests[vcpu] == ScratchGuests.TimerPending;
            var after = restored.Vcpus[vcpu].Get(Counter19).Low;
            CheckFailedException.That(counts ? after > before : after == before, $"vCPU {vcpu}: X19 went from {before} to {after}");
        }
    }

    /// <summary>One shared interrupt by an edge, the next one by its level.</summary>
    private static void RaiseShared(KvmMachine machine)
    {
        // GICD_ICFGR2: interrupts 32 to 47, two bits each.
        CheckFailedException.Equal(0, machine.Gic!.TrySetAttribute32(1, 0xc08, 0xaaaa_aaaa & ~(3u << (2 * (Spi + 1 - 32)))), "GICD_ICFGR2");
        CheckFailedException.Equal(0, machine.Vm.TrySetSharedInterrupt(Spi, high: true), "KVM_IRQ_LINE");
        CheckFailedException.Equal(0, machine.Vm.TrySetSharedInterrupt(Spi + 1, high: true), "KVM_IRQ_LINE");
    }

    /// <summary>The case is worth its name only if the interrupts are there: the timer's line of vCPU 1, the shared latch and the shared line.</summary>
    private static void CheckPending(ScratchMachine source)
    {
        var gic = KvmCapture.Capture(source.Machine).Devices.Single(d => d.Kind == "gicv3").Attributes
            .DistinctBy(a => (a.Group, a.Attribute)).ToDictionary(a => (a.Group, a.Attribute), a => a.Value.Low);
        CheckFailedException.That((gic[(7, 1UL << 32)] & 1 << 27) != 0, $"vCPU 1's lines are 0x{gic[(7, 1UL << 32)]:x}");
        CheckFailedException.That((gic[(1, 0x204)] & 1 << (Spi - 32)) != 0, $"the shared latches are 0x{gic[(1, 0x204)]:x}");
        CheckFailedException.That((gic[(7, 32)] & 1 << (Spi + 1 - 32)) != 0, $"the shared lines are 0x{gic[(7, 32)]:x}");
    }

    /// <summary>Captures, plans, restores, reads back, and captures once more to compare all of it.</summary>
    private static KvmMachine RoundTrip(JobContext context, KvmSystem system, ScratchMachine source, string name)
    {
        KvmCapture.SaveTables(source.Machine);
        var host = MeasuredHost.Report().Profile;
        var state = KvmCapture.Capture(source.Machine, host.Boot, host.CounterFrequency);
        var memory = source.Machine.Memory(ScratchMachine.MemoryBase, (int)state.Vm.MemoryBytes).ToArray();
        var plan = Planner.Plan(state, host, new PlanOptions(), host);
        CheckFailedException.That(plan.Verdict == Verdict.Yes, $"the plan says {plan.Verdict}: {string.Join("; ", plan.Findings.Select(f => $"{f.Subject} {f.Code}"))}");

        using var target = new KvmTarget(system);
        foreach (var phase in new[] { StepPhase.Prepare, StepPhase.Apply })
        {
            if (phase == StepPhase.Apply) memory.CopyTo(target.Machine!.Memory(ScratchMachine.MemoryBase, memory.Length));
            var report = PlanRunner.Run(plan, phase, target);
            CheckFailedException.That(report.Failed.Count == 0,
                "refused: " + string.Join("; ", report.Failed.Select(f => $"{Words(plan.Steps[f.Step])} errno {f.Errno} {f.Note}")));
            CheckFailedException.That(report.Differences.Count == 0,
                "differs: " + string.Join("; ", report.Differences.Select(d => $"vCPU {d.Vcpu} {RegisterCatalog.Name(d.Id)} {d.Expected.ToShortString()} -> {d.Actual?.ToShortString()}")));
        }

        KvmCapture.SaveTables(target.Machine!);
        var again = KvmCapture.Capture(target.Machine!);
        var exceptions = new StringBuilder();
        var wrong = new List<string>();
        foreach (var (vcpu, id, before, after) in Registers(state, again))
            (IsException(id) ? (Action<string>)(l => exceptions.Append(l).Append('\n')) : wrong.Add)($"vCPU {vcpu} {RegisterCatalog.Name(id)} {before} -> {after}");
        for (var i = 0; i < state.Vcpus.Count; i++)
        {
            if (state.Vcpus[i].MpState != again.Vcpus[i].MpState) wrong.Add($"vCPU {i} power {state.Vcpus[i].MpState} -> {again.Vcpus[i].MpState}");
            if (state.Vcpus[i].Events != again.Vcpus[i].Events) wrong.Add($"vCPU {i} events {state.Vcpus[i].Events} -> {again.Vcpus[i].Events}");
        }
        wrong.AddRange(Devices(state, again));
        context.Note(string.Create(CultureInfo.InvariantCulture,
            $"{name}: {state.Vcpus.Sum(v => v.Registers.Count)} registers, {state.Devices.Sum(d => d.Attributes.Count)} attributes, {state.Vcpus.Sum(v => v.Unreadable.Count)} unreadable; power {string.Join(',', state.Vcpus.Select(v => v.MpState))}"));
        if (exceptions.Length > 0) context.Note($"{name}: moved on by themselves: {exceptions.ToString().TrimEnd().Replace("\n", "; ")}");
        CheckFailedException.That(wrong.Count == 0, "captured again: " + string.Join("; ", wrong.Take(40)));
        return target.Take();
    }

    /// <summary>The documented exceptions: counters count; a timer's control shows whether its time has come.</summary>
    private static bool IsException(RegisterId id) =>
        RegisterCatalog.Name(id) is "CNTVCT_EL0" or "CNTPCT_EL0" or "CNTV_CTL_EL0" or "CNTP_CTL_EL0" or "PMCCNTR_EL0";

    private static IEnumerable<(int Vcpu, RegisterId Id, string Before, string After)> Registers(MachineState state, MachineState again)
    {
        foreach (var vcpu in state.Vcpus.AsEnumerable())
        {
            var other = again.Vcpus[vcpu.Index].Registers;
            foreach (var (id, value) in vcpu.Registers)
            {
                var found = other.TryGet(id, out var now);
                if (!found || now != value) yield return (vcpu.Index, id, value.ToShortString(), found ? now.ToShortString() : "not listed");
            }
            foreach (var (id, value) in other)
                if (!vcpu.Registers.Contains(id)) yield return (vcpu.Index, id, "not listed", value.ToShortString());
        }
    }

    private static IEnumerable<string> Devices(MachineState state, MachineState again)
    {
        if (!state.Devices.Select(d => d.Kind).SequenceEqual(again.Devices.Select(d => d.Kind)))
        {
            yield return $"devices {string.Join(',', state.Devices.Select(d => d.Kind))} -> {string.Join(',', again.Devices.Select(d => d.Kind))}";
            yield break;
        }
        foreach (var (here, there) in state.Devices.Zip(again.Devices))
        {
            var now = there.Attributes.ToDictionary(a => (a.Group, a.Attribute), a => a.Value);
            foreach (var attribute in here.Attributes.AsEnumerable())
            {
                var found = now.TryGetValue((attribute.Group, attribute.Attribute), out var value);
                if (!found || value != attribute.Value)
                    yield return $"{here.Kind} {attribute.Group}/0x{attribute.Attribute:x} {attribute.Value.ToShortString()} -> {(found ? value.ToShortString() : "absent")}";
            }
        }
    }

    private static string Words(RestoreStep step) => step switch
    {
        WriteRegister w => $"vCPU {w.Vcpu} {RegisterCatalog.Name(w.Id)} = {w.Value.ToShortString()}",
        WriteDevice d => d.Device.Kind,
        _ => step.GetType().Name,
    };
}
