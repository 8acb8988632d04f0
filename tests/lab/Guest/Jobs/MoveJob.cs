using System.Diagnostics;
using System.Globalization;
using Migrate.Kvm.Handles;
using Migrate.Kvm.Scratch;
using Migrate.Kvm.State;
using Migrate.Kvm.Vmm;
using Migrate.Linux.Memory;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Ports;
using Migrate.Model.Registers;
using Migrate.Preflight;
using Migrate.Preflight.Baselines;
using Migrate.Transfer.Agent;
using Migrate.Transfer.Handover;
using Migrate.Transfer.Machines;
using Migrate.Transfer.Send;

namespace Migrate.LabGuest.Jobs;

/// <summary>A running VM moves from one kernel to another over TCP and goes on; what it wrote and counted shows whether anything was lost.</summary>
internal static class MoveJob
{
    private const int Vcpus = 4;
    private const int Writers = 2;
    private const ulong Pages = 1024;
    private const uint Ticks = 500_000;

    /// <summary>A VM as another would make it; every host of the lab that has a GICv3 takes it.</summary>
    private static readonly VcpuFeatures Features = VcpuFeatures.Psci02;

    /// <summary>Under two translators everything takes its time.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private static readonly RegisterId Counter = RegisterId.Core(8 * 19, 8);
    private static readonly RegisterId Pc = RegisterId.Core(8 * 32, 8);
    private static readonly RegisterId Interrupts = RegisterId.Core(8 * 23, 8);
    private static readonly RegisterId Backwards = RegisterId.Core(8 * 28, 8);

    public static void Destination(JobContext context)
    {
        using var system = KvmSystem.Open();
        var profile = MeasuredHost.Report().Profile;
        var directory = Directory.CreateTempSubdirectory("move-").FullName;
        var socket = Path.Combine(directory, "incoming.sock");
        IMachine? arrived = null;
        using var server = MachineServer.ServeIncoming(socket, "incoming", description => new Arrival(new LiveIncoming(system, description, Options(context, profile)), machine => arrived = machine));
        var options = new AgentOptions
        {
            Listen = new(System.Net.IPAddress.Any, PairJob.Port),
            Insecure = true,
            GreetingTimeout = Patience,
            IdleTimeout = Patience,
            Report = context.Note,
        };
        using var agent = new RestoreAgent(options, new StateDirectory(Path.Combine(directory, "state")), new KnownProfile(profile), new AttachedIncoming(socket), new KvmScratchHost(system));
        context.Listening();
        if (!context.Case("a VM arrives and runs", () =>
        {
            var since = Stopwatch.StartNew();
            while (server.Status.State != LifecycleState.Running)
            {
                CheckFailedException.That(since.Elapsed < Patience, $"it is {server.Status.State} after {since.Elapsed.TotalSeconds:F0} s");
                Thread.Sleep(50);
            }
        })) return;
        using var client = MachineClient.Connect(socket);
        client.ReplyTimeout = Patience;
        var (before, after) = (default(MachineState), default(MachineState));
        context.Case("it goes on: its counters count and its timers fire", () =>
        {
            before = client.Describe().State;
            Thread.Sleep(3000);
            client.Pause();
            after = arrived!.Capture();
            for (var i = 0; i < Writers; i++)
            {
                foreach (var (id, what) in new[] { (Counter, "writes"), (Interrupts, "timer interrupts") })
                    CheckFailedException.That(Value(after, i, id) > Value(before, i, id), $"vCPU {i}: {what} stayed at {Value(after, i, id)}");
            }
        });
        context.Case("its memory is as if it had never moved", () => CheckMemory(arrived!, after!));
        context.Case("its time never went backwards", () =>
        {
            for (var i = 0; i < Writers; i++) CheckFailedException.Equal(0UL, Value(after!, i, Backwards), $"vCPU {i}: steps back");
        });
        context.Case("what was off is off, what waited waits", () =>
        {
            CheckFailedException.Equal(MpState.Stopped, after!.Vcpus[3].MpState, "vCPU 3");
            // Two instructions: WFI and the branch back to it.
            var (was, now) = (Value(before!, 2, Pc), Value(after, 2, Pc));
            CheckFailedException.That(now - was + 4 <= 8, $"vCPU 2 went from 0x{was:x} to 0x{now:x}");
        });
        context.Note($"after the move: {string.Join("; ", Enumerable.Range(0, Writers).Select(i => $"vCPU {i} {Value(after!, i, Counter)} writes, {Value(after!, i, Interrupts)} interrupts"))}; {string.Join(", ", arrived!.Counters.Select(c => $"{c.Key} {c.Value}"))}");
    }

    public static void Source(JobContext context)
    {
        using var system = KvmSystem.Open();
        var profile = MeasuredHost.Report().Profile;
        var directory = Directory.CreateTempSubdirectory("move-").FullName;
        var socket = Path.Combine(directory, "source.sock");
        LiveMachine? machine = null;
        if (!context.Case("a VM of the pair's baseline is created", () => machine = Create(context, system, profile))) return;
        using var server = MachineServer.Serve(socket, machine!);
        machine!.Resume();
        Thread.Sleep(1000);
        context.Case("it moves while it runs", () =>
        {
            var report = Sender.Send(new SendOptions
            {
                MachineSocket = socket,
                Host = context.Peer.Address.ToString(),
                Port = context.Peer.Port,
                State = new StateDirectory(Path.Combine(directory, "state")),
                MaxDowntime = TimeSpan.FromSeconds(2),
                Timeout = Patience,
                ReplyTimeout = Patience,
                StopTimeout = Patience,
                Verify = true,
            });
            CheckFailedException.That(report.Verified, "memory was not compared");
            var d = report.Downtime;
            context.Note(string.Create(CultureInfo.InvariantCulture,
                $"moved in {report.Milliseconds} ms, {report.Rounds} rounds, {report.Pages} pages; stood still for {d.Total / 1000.0:F0} ms: last round {d.LastRound / 1000.0:F0}, capture {d.Capture / 1000.0:F0}, send {d.Send / 1000.0:F0}, apply {d.Apply / 1000.0:F0}, start {d.Start / 1000.0:F0}"));
        });
        context.Case("it is gone here", () => CheckFailedException.Equal(LifecycleState.Destroyed, server.Status.State, "state"));
    }

    private static LiveMachine Create(JobContext context, KvmSystem system, HostProfile here)
    {
        var there = new AgentClient(context.Peer.Address.ToString(), context.Peer.Port) { Timeout = Patience }.Profile();
        var baseline = Baseline.Of([new("here", here), new("there", there)], Features, new PlanOptions());
        CheckFailedException.That(baseline.Verdict == Verdict.Yes, $"there is no baseline: {string.Join("; ", baseline.Proofs.Select(p => $"{p.Subject} {p.Witness.Reason}"))}");
        var config = baseline.Pools[0].Config;
        var spec = new MachineSpec
        {
            Vm = new VmDescription
            {
                Name = "mover",
                Id = Guid.NewGuid().ToString("n"),
                Type = config.Type,
                Features = config.Features,
                VcpuCount = Vcpus,
                Memory = [new MemorySlot(0, ScratchMachine.MemoryBase, 16 << 20)],
                Gic = new GicDescription(GicKind.GicV3, ScratchMachine.Distributor, ScratchMachine.Redistributors),
            },
            Registers = ConfiguredMachine.Writes(here, config),
            Entry = ScratchMachine.MemoryBase,
            Started = [1, 2],
        };
        return MachineCreation.Create(system, spec, Options(context, here), kvm =>
        {
            for (var i = 0; i < Writers; i++) Load(kvm, i, ScratchGuests.Writing(i, Code(i), Window(i), Pages, Ticks), 0x800);
            Load(kvm, 2, ScratchGuests.TimerRunning(2), 0);
        });
    }

    private static void Load(KvmMachine machine, int vcpu, uint[] program, ulong entry)
    {
        var bytes = System.Runtime.InteropServices.MemoryMarshal.AsBytes<uint>(program);
        bytes.CopyTo(machine.Memory(Code(vcpu), bytes.Length));
        machine.Vcpus[vcpu].Set(Pc, new RegisterValue(Code(vcpu) + entry));
    }

    private static ulong Code(int vcpu) => ScratchMachine.MemoryBase + (ulong)vcpu * 0x10000;

    private static ulong Window(int vcpu) => ScratchMachine.MemoryBase + (4UL << 20) * (ulong)(vcpu + 1);

    /// <summary>Page p of a window holds the largest count up to X19 that is p modulo the window's pages; the newest may not be written yet.</summary>
    private static void CheckMemory(IMachine machine, MachineState state)
    {
        using var memory = ((MemFd)machine.Memory[0].Handle).Map(MappingAccess.Read);
        for (var i = 0; i < Writers; i++)
        {
            var count = Value(state, i, Counter);
            CheckFailedException.That(count > Pages, $"vCPU {i} wrote only {count} times");
            var wrong = new List<string>();
            for (var back = 0UL; back < Pages; back++)
            {
                var expected = count - back;
                var offset = (long)(Window(i) - ScratchMachine.MemoryBase + expected % Pages * 4096);
                var found = BitConverter.ToUInt64(memory.View(offset, 8));
                if (found != expected && !(back == 0 && found == expected - Pages)) wrong.Add($"page {expected % Pages} holds {found}, not {expected}");
            }
            CheckFailedException.That(wrong.Count == 0, $"vCPU {i}: {wrong.Count} pages: {string.Join("; ", wrong.Take(5))}");
        }
    }

    private static ulong Value(MachineState state, int vcpu, RegisterId id) => state.Vcpus[vcpu].Registers.TryGet(id, out var value) ? value.Low : 0;

    private static VmmOptions Options(JobContext context, HostProfile host) =>
        new() { Boot = host.Boot, CounterFrequency = host.CounterFrequency, Ended = context.Note };
}
