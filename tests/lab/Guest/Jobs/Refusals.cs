using Migrate.Kvm.Handles;
using Migrate.Kvm.Scratch;
using Migrate.Kvm.Vmm;
using Migrate.LabGuest.Programs;
using Migrate.Model.Firmware;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Ports;
using Migrate.Preflight;
using Migrate.Transfer.Machines;
using Migrate.Transfer.Send;

namespace Migrate.LabGuest.Jobs;

/// <summary>VMs that nobody pinned to what two hosts share: where the planner says no, the move ends before its first page and the guest never stands still.</summary>
internal static class Refusals
{
    private static readonly SmcccFilterRange Filter = new(0xc300_0200, 16, SmcccAction.ForwardToUser);

    /// <summary>Tries those that this host can create.</summary>
    /// <param name="context">Whose cases they are.</param>
    /// <param name="system">This host.</param>
    /// <param name="here">Its profile.</param>
    /// <param name="there">The destination's.</param>
    /// <param name="toThere">How to send there; the machine's socket is replaced.</param>
    public static void Try(JobContext context, KvmSystem system, HostProfile here, HostProfile there, SendOptions toThere)
    {
        // Each kernel gives a VM the newest PSCI it has, and takes none newer (kvm_arm_set_fw_reg): at least for that reason 6.18's VM is refused by 6.12.
        Try(context, "the default VM of this host", [], mustBeRefused: NewestPsci(here) > NewestPsci(there));
        if (here.HasSmcccFilter == true) Try(context, "a VM with a filtered range", [Filter], mustBeRefused: there.HasSmcccFilter != true);

        void Try(JobContext context, string name, SmcccFilterRange[] filter, bool mustBeRefused)
        {
            using var machine = Create(system, filter);
            var plan = Planner.Plan(machine.Describe().State, there, new PlanOptions(), here);
            if (plan.Verdict == Verdict.Yes && !mustBeRefused)
            {
                context.Note($"{name}: could move as it is");
                return;
            }
            context.Case($"{name} is refused before a page was asked for, and runs on", () => Refused(context, name, machine, plan, toThere));
        }
    }

    private static void Refused(JobContext context, string name, LiveMachine machine, RestorePlan plan, SendOptions toThere)
    {
        CheckFailedException.Equal(Verdict.No, plan.Verdict, "predicted verdict");
        var watched = new Watched(machine);
        var socket = Path.Combine(Path.GetDirectoryName(toThere.MachineSocket)!, $"refused-{Guid.NewGuid():n}"[..16]);
        machine.Resume();
        using var server = MachineServer.Serve(socket, watched);
        var before = Count(machine);
        try
        {
            Sender.Send(toThere with { MachineSocket = socket });
        }
        catch (RefusedException e)
        {
            var first = e.Report?.Findings.FirstOrDefault(f => f.Severity == Severity.Refused);
            context.Note($"{name}: {e.Message} {(first is null ? "" : $"{first.Subject}: {first.Here} here, {first.There} there, {first.Answer}")}");
            CheckFailedException.That(watched.Stops == 0 && watched.Collections == 0, $"the machine was stopped {watched.Stops} times, {watched.Collections} dirty bitmaps were asked for");
            CheckFailedException.Equal((LifecycleState.Running, ""), (server.Status.State, server.Status.Session), "state and session");
            CheckFailedException.That(Count(machine) > before, $"the guest stands at {before}");
            return;
        }
        throw new CheckFailedException("it was not refused");
    }

    private static ulong NewestPsci(HostProfile host) => host.Shape(VcpuFeatures.Psci02, GicKind.GicV3)?.Find(FirmwareRegisters.PsciVersion)?.Reset?.Low
        ?? throw new CheckFailedException("a profile without PSCI version");

    private static ulong Count(LiveMachine machine) => TravellerChecks.X(machine.Describe().State, 0, 19);

    private static LiveMachine Create(KvmSystem system, SmcccFilterRange[] filter)
    {
        var spec = new MachineSpec
        {
            Vm = new VmDescription
            {
                Name = "unpinned",
                Id = Guid.NewGuid().ToString("n"),
                Type = default,
                Features = VcpuFeatures.Psci02,
                VcpuCount = 1,
                Memory = [new MemorySlot(0, ScratchMachine.MemoryBase, 2 << 20)],
                Gic = new GicDescription(GicKind.GicV3, ScratchMachine.Distributor, ScratchMachine.Redistributors),
                SmcccFilter = [.. filter],
            },
            Entry = ScratchMachine.MemoryBase,
        };
        uint[] counting = [A64.Add(19, 19, 1), A64.Branch(-1)];
        return MachineCreation.Create(system, spec, new VmmOptions(), kvm =>
            System.Runtime.InteropServices.MemoryMarshal.AsBytes<uint>(counting).CopyTo(kvm.Memory(ScratchMachine.MemoryBase, counting.Length * 4)));
    }

    /// <summary>Counts what would cost the guest something.</summary>
    private sealed class Watched(LiveMachine machine) : IMachine
    {
        public int Stops { get; private set; }

        public int Collections { get; private set; }

        public IReadOnlyList<GuestMemory> Memory => machine.Memory;

        public bool IsRunning => machine.IsRunning;

        public IReadOnlyList<KeyValuePair<string, ulong>> Counters => machine.Counters;

        public MachineReport Describe() => machine.Describe();

        public void StartDirtyLog() => machine.StartDirtyLog();

        public void StopDirtyLog() => machine.StopDirtyLog();

        public void CollectDirty(int slot, Span<ulong> bitmap)
        {
            Collections++;
            machine.CollectDirty(slot, bitmap);
        }

        public void Throttle(int percent) => machine.Throttle(percent);

        public void Quiesce()
        {
            Stops++;
            machine.Quiesce();
        }

        public MachineState Capture() => machine.Capture();

        public void Resume() => machine.Resume();
    }
}
