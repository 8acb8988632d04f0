using Migrate.Kvm;
using Migrate.Kvm.Handles;
using Migrate.Kvm.Scratch;
using Migrate.Kvm.State;
using Migrate.Linux.Processes;
using Migrate.Model;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;
using Migrate.Preflight;

namespace Migrate.LabGuest.Jobs;

/// <summary>What KVM is told and does not give back: carried by what was written down, or refused by name where this kernel lacks it.</summary>
internal static class VmStateJob
{
    private const uint SystemSuspend = 0xc400_000e;
    private const uint SuspendEvent = 5;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly RegisterId VirtualCount = RegisterId.System(3, 3, 14, 3, 2);
    private static readonly RegisterId PhysicalCount = RegisterId.System(3, 3, 14, 0, 1);
    private static readonly RegisterId PmuControl = RegisterId.System(3, 3, 9, 12, 0);

    private static readonly VcpuFeatures WithPmu = VcpuFeatures.Psci02 | VcpuFeatures.PmuV3;

    public static void Run(JobContext context)
    {
        using var system = KvmSystem.Open();
        using var clock = new HostClock(system);
        var host = Ask(system);
        foreach (var capability in host.Capabilities) context.Note($"{capability.Name} {capability.Value}");
        context.Answer("vm-state.txt", string.Concat(host.Capabilities.Select(c => $"{c.Name} {c.Value}\n")));
        context.Case("counters without an offset go on together", () => CountersTogether(system, host, clock));
        context.Case("counter offset", () => Offset(context, system, host, clock));
        context.Case("PMU: choice, number of counters, filter", () => Pmu(context, system, host));
        context.Case("PMU: a name that the host does not have", () => OtherPmu(system, host));
        context.Case("SYSTEM_SUSPEND leaves to user space in the copy too", () => Suspend(context, system, host));
        context.Case("every other capability", () => Capabilities(context, system, host));
        context.Case("what cannot be captured is refused by name", () => Refused(context, system));
    }

    /// <summary>Without an offset the plan writes each counter once; every vCPU of the copy then reads one clock, which went on where the captured one stood.</summary>
    private static void CountersTogether(KvmSystem system, HostProfile host, HostClock clock)
    {
        using var source = ScratchMachine.Create(system, new ScratchOptions { Vcpus = 4 });
        var before = clock.Now;
        var (state, copy) = Copy(system, source, host, out var plan);
        using (copy)
        {
            foreach (var counter in new[] { VirtualCount, PhysicalCount })
            {
                if (!state.Vcpus[0].Registers.TryGet(counter, out var captured)) continue;
                CheckFailedException.Equal(1, plan.Steps.Count(s => s is WriteRegister w && w.Id == counter), $"writes of {RegisterCatalog.Name(counter)}");
                CheckClock(copy, counter, captured.Low, clock, before);
            }
        }
    }

    /// <summary>Both counters of all vCPUs have one offset, made from the captured count; a write of a counter is answered 0 and changes nothing.</summary>
    private static void Offset(JobContext context, KvmSystem system, HostProfile host, HostClock clock)
    {
        using var source = ScratchMachine.Create(system, new ScratchOptions { Vcpus = 4 });
        var errno = source.Machine.Vm.TrySetCounterOffset(0x1234_5678);
        if (errno != 0)
        {
            context.Note($"KVM_ARM_SET_COUNTER_OFFSET answers {errno}");
            CheckFailedException.Equal(0L, Value(host, "counter-offset"), "KVM_CAP_COUNTER_OFFSET");
            CheckFailedException.Equal(0, source.Machine.Description.Attributes.Count, "attributes of a VM without an offset");
            var foreign = KvmCapture.Capture(source.Machine);
            foreign = foreign with { Vm = foreign.Vm with { Attributes = [VmAttributes.Flag(VmAttributes.CounterOffset)] } };
            RefusedBy(foreign, host, FindingCode.CounterOffset);

            // Accepted by name, the virtual counter goes on by its register.
            var accepted = Planner.Plan(foreign, For(host, foreign), new PlanOptions { AcceptAssumed = true, Accept = new HashSet<FindingCode> { FindingCode.CounterOffset } });
            CheckFailedException.Equal(Verdict.Yes, accepted.Verdict, "accepting counter-offset");
            CheckFailedException.Equal(1, accepted.Steps.Count(s => s is WriteRegister w && w.Id == VirtualCount), "writes of CNTVCT_EL0");
            return;
        }
        CheckFailedException.Equal(VmAttributes.CounterOffset, source.Machine.Description.Attributes.Single().Name, "the attribute written down");
        var before = clock.Now;
        var (state, copy) = Copy(system, source, host, out var plan);
        using (copy)
        {
            var captured = state.Vcpus[0].Registers.TryGet(VirtualCount, out var count) ? count.Low : 0;
            CheckFailedException.That(plan.Steps.OfType<SetCounterOffset>().Single().GuestCounter == captured, "the step has another count");
            CheckFailedException.That(!plan.Steps.Any(s => s is WriteRegister w && (w.Id == VirtualCount || w.Id == PhysicalCount)), "a counter is written");
            CheckClock(copy, VirtualCount, captured, clock, before);
            CheckClock(copy, PhysicalCount, captured, clock, before);

            // What makes the step necessary: this host takes the write of a counter and does nothing.
            CheckFailedException.Equal(0, copy.Vcpus[0].TrySet(VirtualCount, new RegisterValue(1)), "a write of CNTVCT_EL0");
            CheckFailedException.That(copy.Vcpus[0].Get(VirtualCount).Low >= captured, "the write of CNTVCT_EL0 had an effect");

            // The copy can be captured and moved on like the original.
            CheckFailedException.Equal(VmAttributes.CounterOffset, KvmCapture.Capture(copy).Vm.Attributes.Single().Name, "the copy's attribute");
            using var run = ScratchMachine.Adopt(copy);
            var seen = Report(run, ScratchGuests.Reading(3, 14, 0, 2));
            CheckFailedException.That(seen >= captured && seen - captured < 1UL << 40, $"the guest reads CNTVCT_EL0 = 0x{seen:x}, captured was 0x{captured:x}");
        }
    }

    /// <summary>One clock through every vCPU: each reading lies between its neighbours, and none is before the captured one or further on than the host's.</summary>
    private static void CheckClock(KvmMachine copy, RegisterId counter, ulong captured, HostClock clock, ulong before)
    {
        var name = RegisterCatalog.Name(counter);
        // Read twice around: with offsets of their own, some vCPU would be behind another the second time.
        var order = copy.Vcpus.Keys.Concat(copy.Vcpus.Keys.Reverse()).ToArray();
        var readings = order.Select(vcpu => copy.Vcpus[vcpu].Get(counter).Low).ToArray();
        for (var i = 1; i < readings.Length; i++)
            CheckFailedException.That(readings[i] >= readings[i - 1], $"{name}: vCPU {order[i]} is behind vCPU {order[i - 1]}: {string.Join(' ', readings)}");
        CheckFailedException.That(readings[0] >= captured, $"{name} went back from {captured} to {readings[0]}");
        // The captured count was read after "before", and this reading before now: whatever the machine was busy with, no more can have passed.
        var passed = clock.Now - before;
        CheckFailedException.That(readings[^1] - captured <= passed, $"{name} went on by {readings[^1] - captured} while the host counted {passed}");
    }

    private static void Pmu(JobContext context, KvmSystem system, HostProfile host)
    {
        using var source = ScratchMachine.Create(system, new ScratchOptions { Features = WithPmu, HasGic = true, Prepare = ConfigurePmu });
        var attributes = source.Machine.Description.Attributes;
        context.Note($"PMU: {string.Join("; ", attributes.Select(a => $"{a.Name} {VmAttributes.Describe(a)}"))}");
        foreach (var (name, capability) in new[]
        {
            (VmAttributes.PmuName, "vcpu-attr.pmu-set-pmu"), (VmAttributes.PmuCounters, "vcpu-attr.pmu-set-counters"), (VmAttributes.PmuFilter, "vcpu-attr.pmu-filter"),
        })
        {
            CheckFailedException.Equal(Value(host, capability) == 1, attributes.Any(a => a.Name == name), $"{name} written down");
        }
        var (state, copy) = Copy(system, source, host, out _);
        using (copy)
        {
            CheckFailedException.That(copy.Description.Attributes == attributes, $"the copy has {string.Join(", ", copy.Description.Attributes.Select(a => a.Name))}");
            CheckFailedException.Equal(source.Machine.Vcpus[0].Get(PmuControl).Low, copy.Vcpus[0].Get(PmuControl).Low, "PMCR_EL0");

            // PMCEID0_EL0 lists the events that may be counted: the filter is what the guest sees of it.
            var plain = Unfiltered(system);
            var here = Report(source, ScratchGuests.Reading(3, 9, 12, 6));
            using var run = ScratchMachine.Adopt(copy);
            var there = Report(run, ScratchGuests.Reading(3, 9, 12, 6));
            context.Note($"PMCEID0_EL0: unfiltered 0x{plain:x}, source 0x{here:x}, copy 0x{there:x}");
            CheckFailedException.Equal(here, there, "PMCEID0_EL0 as the guest sees it");
            if (Value(host, "vcpu-attr.pmu-filter") == 1) CheckFailedException.That(plain != here, "the filter hides no event from the guest");
        }

        // What this kernel lacks is refused by the plan, before anything is created, and by name.
        foreach (var attribute in new[] { VmAttributes.Number(VmAttributes.PmuCounters, 2), VmAttributes.Filter([new PmuFilterRange(0, 1, PmuFilterAction.Deny)]) })
        {
            var missing = attribute.Name == VmAttributes.PmuCounters ? "vcpu-attr.pmu-set-counters" : "vcpu-attr.pmu-filter";
            if (Value(host, missing) == 0) RefusedBy(state with { Vm = state.Vm with { Attributes = [attribute] } }, host, FindingCode.Pmu);
            else RefusedBy(state with { Vm = state.Vm with { Attributes = [attribute] } }, Without(host, missing), FindingCode.Pmu);
        }
    }

    private static ulong Unfiltered(KvmSystem system)
    {
        using var machine = ScratchMachine.Create(system, new ScratchOptions { Features = WithPmu, HasGic = true });
        return Report(machine, ScratchGuests.Reading(3, 9, 12, 6));
    }

    /// <summary>Chooses the only PMU, takes a counter away and denies two events, as far as the kernel can.</summary>
    private static void ConfigurePmu(KvmMachine machine)
    {
        var vcpu = machine.Vcpus[0];
        foreach (var (_, type) in PerfDevices.List())
            if (vcpu.TrySetAttribute32(0, 3, (uint)type) == 0) break;
        if (vcpu.HasAttribute(0, 4) == 0) CheckFailedException.Equal(0, vcpu.TrySetAttribute32(0, 4, 2), "number of counters");
        if (vcpu.HasAttribute(0, 2) != 0) return;
        // The first decides: everything else may be counted. Then one range inside it is allowed again.
        Filter(machine, new PmuFilterRange(0x0, 0x14, PmuFilterAction.Deny));
        Filter(machine, new PmuFilterRange(0x11, 1, PmuFilterAction.Allow));
    }

    private static void Filter(KvmMachine machine, PmuFilterRange range)
    {
        Span<byte> bytes = stackalloc byte[PmuFilterRange.Bytes];
        range.Write(bytes);
        CheckFailedException.Equal(0, machine.Vcpus[0].TrySetAttribute(0, 2, bytes), $"PMU filter {range}");
    }

    private static void OtherPmu(KvmSystem system, HostProfile host)
    {
        using var source = ScratchMachine.Create(system, new ScratchOptions { Features = WithPmu, HasGic = true });
        var state = KvmCapture.Capture(source.Machine);
        var attribute = VmAttributes.Text(VmAttributes.PmuName, "armv8_no_such_pmu");
        RefusedBy(state with { Vm = state.Vm with { Attributes = [attribute] } }, host, FindingCode.Pmu);
        // And by the host itself, should a plan ever ask.
        using var target = new KvmTarget(system);
        var answers = target.Execute([new CreateVm(default), new CreateVcpu(0, WithPmu), new ConfigurePmu(attribute)]);
        CheckFailedException.Equal(6, answers[^1].Errno, "a PMU that is not there");
        CheckFailedException.That(answers[^1].Note.Contains("armv8_no_such_pmu", StringComparison.Ordinal), answers[^1].Note);
    }

    private static void Suspend(JobContext context, KvmSystem system, HostProfile host)
    {
        using var source = ScratchMachine.Create(system, new ScratchOptions());
        var errno = source.Machine.Vm.TryEnable(Capability.ArmSystemSuspend);
        if (errno != 0)
        {
            context.Note($"KVM_CAP_ARM_SYSTEM_SUSPEND answers {errno}");
            CheckFailedException.Equal(0L, Value(host, "arm-system-suspend"), "KVM_CAP_ARM_SYSTEM_SUSPEND");
            var state = KvmCapture.Capture(source.Machine);
            RefusedBy(state with { Vm = state.Vm with { Attributes = [VmAttributes.Flag(VmAttributes.SystemSuspend)] } }, host, FindingCode.CapabilityMissing);
            return;
        }
        var (_, copy) = Copy(system, source, host, out _);
        using var run = ScratchMachine.Adopt(copy);
        run.Load(0, 0, ScratchGuests.Calling(SystemSuspend, ScratchMachine.MemoryBase));
        run.Start();
        var happened = run.Next(Patience);
        run.Stop();
        CheckFailedException.That(happened.Reason == ExitReason.SystemEvent && happened.Address == SuspendEvent, $"the guest did {happened}");
    }

    private static void Capabilities(JobContext context, KvmSystem system, HostProfile host)
    {
        (Capability Capability, ulong Argument)[] all =
        [
            (Capability.ArmWritableImpIdRegs, 0), (Capability.ArmNisvToUser, 0), (Capability.ArmSeaToUser, 0), (Capability.DirtyLogRingAcqRel, 65536),
            (Capability.DirtyLogRingWithBitmap, 0),
        ];
        using var builder = new KvmTarget(system);
        CheckFailedException.That(builder.Execute([new CreateVm(default)])[0].Succeeded, "KVM_CREATE_VM");
        var enabled = all.Where(c => builder.Machine!.Vm.TryEnable(c.Capability, c.Argument) == 0).Select(c => $"cap.{c.Capability.Name()}").ToList();
        CheckFailedException.That(builder.Execute([new MapMemory(new MemorySlot(0, ScratchMachine.MemoryBase, 2 << 20)), new CreateVcpu(0, VcpuFeatures.Psci02)])
            .All(a => a.Succeeded), "memory and vCPU");
        using var source = ScratchMachine.Adopt(builder.Take());
        context.Note($"enabled: {string.Join(' ', enabled)}");
        CheckFailedException.Equal(string.Join(' ', enabled), string.Join(' ', source.Machine.Description.Attributes.Select(a => a.Name)), "attributes written down");
        var (_, copy) = Copy(system, source, host, out _);
        using (copy) CheckFailedException.That(copy.Description.Attributes == source.Machine.Description.Attributes, "the copy's attributes differ");

        foreach (var missing in all.Where(c => c.Capability != Capability.DirtyLogRingAcqRel && c.Capability != Capability.DirtyLogRingWithBitmap))
        {
            var name = missing.Capability.Name();
            var state = KvmCapture.Capture(source.Machine);
            RefusedBy(state with { Vm = state.Vm with { Attributes = [VmAttributes.Flag($"cap.{name}")] } }, Without(host, name), FindingCode.CapabilityMissing);
        }
    }

    private static void Refused(JobContext context, KvmSystem system)
    {
        using (var debugged = ScratchMachine.Create(system, new ScratchOptions()))
        {
            KvmCapture.Capture(debugged.Machine);
            CheckFailedException.Equal(0, debugged.Machine.Vcpus[0].TrySetGuestDebug(1), "KVM_SET_GUEST_DEBUG");
            CannotCapture(debugged.Machine, "guest debugging of vCPU 0");
            CheckFailedException.Equal(0, debugged.Machine.Vcpus[0].TrySetGuestDebug(0), "KVM_SET_GUEST_DEBUG");
            KvmCapture.Capture(debugged.Machine);
        }
        foreach (var kind in new[] { DeviceKind.GicV2, DeviceKind.GicV5 })
        {
            using var machine = ScratchMachine.Create(system, new ScratchOptions());
            var errno = machine.Machine.Vm.TryCreateDevice(kind, out var device);
            context.Note($"{kind}: {errno}");
            using (device)
                if (errno == 0) CannotCapture(machine.Machine, $"device {kind}");
        }
        using var builder = new KvmTarget(system);
        builder.Execute([new CreateVm(default)]);
        var tags = builder.Machine!.Vm.TryEnable(Capability.ArmMte);
        context.Note($"MTE: {tags}");
        builder.Execute([new CreateVcpu(0, VcpuFeatures.Psci02)]);
        if (tags == 0) CannotCapture(builder.Machine, "memory tags (cap.arm-mte)");
        else KvmCapture.Capture(builder.Machine);
        var answer = builder.Execute([new SetAttribute(VmAttributes.Flag(VmAttributes.MemoryTags))])[0];
        CheckFailedException.That(!answer.Succeeded && answer.Note.Contains(VmAttributes.MemoryTags, StringComparison.Ordinal), $"a restore of MTE answers {answer}");
    }

    private static void CannotCapture(KvmMachine machine, string what)
    {
        CheckFailedException.That(machine.Undescribable.Any(u => u.Contains(what, StringComparison.Ordinal)), $"{what} is not among {string.Join("; ", machine.Undescribable)}");
        try
        {
            KvmCapture.Capture(machine);
        }
        catch (KvmException refusal) when (refusal.Message.Contains(what, StringComparison.Ordinal))
        {
            return;
        }
        throw new CheckFailedException($"{what}: was captured");
    }

    /// <summary>Captures, plans, restores and reads back.</summary>
    private static (MachineState State, KvmMachine Copy) Copy(KvmSystem system, ScratchMachine source, HostProfile host, out RestorePlan plan)
    {
        var state = KvmCapture.Capture(source.Machine);
        plan = Planner.Plan(state, For(host, state), new PlanOptions { AcceptAssumed = true });
        CheckFailedException.That(plan.Verdict == Verdict.Yes, $"the plan says {plan.Verdict}: {string.Join("; ", plan.Findings.Select(f => $"{f.Subject} {f.Code} {f.There}"))}");
        using var target = new KvmTarget(system);
        foreach (var phase in new[] { StepPhase.Prepare, StepPhase.Apply })
        {
            var report = PlanRunner.Run(plan, phase, target);
            var steps = plan.Steps;
            CheckFailedException.That(report.Failed.Count == 0, "refused: " + string.Join("; ", report.Failed.Select(f => $"{steps[f.Step]} errno {f.Errno} {f.Note}")));
            CheckFailedException.That(report.Differences.Count == 0,
                "differs: " + string.Join("; ", report.Differences.Select(d => $"vCPU {d.Vcpu} {RegisterCatalog.Name(d.Id)} {d.Expected.ToShortString()} -> {d.Actual?.ToShortString()}")));
        }
        return (state, target.Take());
    }

    private static void RefusedBy(MachineState state, HostProfile host, FindingCode code)
    {
        var plan = Planner.Plan(state, For(host, state), new PlanOptions { AcceptAssumed = true });
        var name = state.Vm.Attributes.Single().Name;
        CheckFailedException.That(plan.Verdict == Verdict.No && plan.Findings.Any(f => f.Code == code && f.Stops && f.Subject == $"attribute {name}"),
            $"{name}: {plan.Verdict}, {string.Join("; ", plan.Findings.Select(f => $"{f.Subject} {f.Code}"))}");
    }

    private static ulong Report(ScratchMachine machine, uint[] code)
    {
        machine.Load(0, 0x1_0000, code);
        machine.Start();
        var report = machine.Next(Patience);
        machine.Stop();
        CheckFailedException.That(report.Reason == ExitReason.Mmio, $"the guest did {report}");
        return report.Value;
    }

    /// <summary>What this host's KVM answers about everything that the rules ask for, and nothing about registers.</summary>
    private static HostProfile Ask(KvmSystem system)
    {
        using var machine = ScratchMachine.Create(system, new ScratchOptions { Features = WithPmu, HasGic = true });
        var vcpu = machine.Machine.Vcpus[0];
        Capability[] capabilities =
        [
            Capability.CounterOffset, Capability.ArmSystemSuspend, Capability.ArmNisvToUser, Capability.ArmSeaToUser, Capability.ArmWritableImpIdRegs,
            Capability.DirtyLogRingAcqRel, Capability.DirtyLogRingWithBitmap, Capability.ArmMte,
        ];
        (string Name, uint Group, ulong Attribute)[] attributes =
        [
            ("vcpu-attr.pmu-irq", 0, 0), ("vcpu-attr.pmu-init", 0, 1), ("vcpu-attr.pmu-filter", 0, 2), ("vcpu-attr.pmu-set-pmu", 0, 3),
            ("vcpu-attr.pmu-set-counters", 0, 4), ("vcpu-attr.timer-virtual", 1, 0), ("vcpu-attr.timer-physical", 1, 1),
            ("vcpu-attr.timer-hypervisor-virtual", 1, 2), ("vcpu-attr.timer-hypervisor-physical", 1, 3), ("vcpu-attr.stolen-time", 2, 0),
        ];
        return new HostProfile
        {
            Boot = new BootIdentity { PageSize = Environment.SystemPageSize },
            Evidence = Evidence.Assumed,
            KnownAttributes = KvmTarget.KnownAttributes.ToEquatableArray(),
            Capabilities =
            [
                .. capabilities.Select(c => new HostCapability(c.Name(), system.CheckExtension(c))),
                .. attributes.Select(a => new HostCapability(a.Name, vcpu.HasAttribute(a.Group, a.Attribute) == 0 ? 1 : 0)),
                .. Pmus().Select(name => new HostCapability($"pmu.{name}", 1)),
            ],
            Shapes = [],
        };
    }

    /// <summary>The PMUs that KVM takes, found by choosing each.</summary>
    private static IEnumerable<string> Pmus()
    {
        using var system = KvmSystem.Open();
        using var vm = system.CreateVm(0);
        using var vcpu = vm.CreateVcpu(0);
        if (vcpu.TryInitialise(vm.PreferredTarget(), WithPmu) != 0) return [];
        return [.. PerfDevices.List().Where(pmu => vcpu.TrySetAttribute32(0, 3, (uint)pmu.Type) == 0).Select(pmu => pmu.Name)];
    }

    /// <summary>The host with registers that take everything: the host itself is asked about them by the restore.</summary>
    private static HostProfile For(HostProfile host, MachineState state) => host with
    {
        Shapes =
        [
            new HostShape
            {
                Features = state.Vm.Features,
                Gic = state.Vm.Gic.Kind,
                Evidence = Evidence.Assumed,
                Registers = state.Vcpus[0].Registers.Select(r => new RegisterAcceptance { Id = r.Id, Accepts = Acceptance.Any }).ToEquatableArray(),
            },
        ],
    };

    private static HostProfile Without(HostProfile host, string capability) =>
        host with { Capabilities = host.Capabilities.Select(c => c.Name == capability ? c with { Value = 0 } : c).ToEquatableArray() };

    private static long? Value(HostProfile host, string capability)
    {
        foreach (var one in host.Capabilities)
            if (one.Name == capability) return one.Value;
        return null;
    }

    /// <summary>The host's own count, seen through a VM that is never restored: differences of it are differences of the host's.</summary>
    private sealed class HostClock(KvmSystem system) : IDisposable
    {
        private readonly ScratchMachine _machine = ScratchMachine.Create(system, new ScratchOptions());

        public ulong Now => _machine.Machine.Vcpus[0].Get(VirtualCount).Low;

        public void Dispose() => _machine.Dispose();
    }
}
