using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Migrate.Kvm.Handles;
using Migrate.Kvm.State;
using Migrate.Kvm.Vmm;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Preflight;
using Migrate.Preflight.Baselines;
using Migrate.Transfer.Agent;
using Migrate.Transfer.Handover;
using Migrate.Transfer.Machines;
using Migrate.Transfer.Send;

namespace Migrate.LabGuest.Jobs;

/// <summary>A Linux guest that calculates moves from one kernel to another over TCP; its shell goes on in the middle of a line, and it has noticed nothing.</summary>
internal static class LinuxMoveJob
{
    /// <summary>What a kernel says when time jumped, a CPU was lost or memory is not what it was; counted in the guest.</summary>
    public const string Complaints = "dmesg | grep -iE 'stall|lockup|oops|BUG:|call trace|hung task|panic|corrupt' | cut -c1-160 | head -n 5; echo end";

    private const int Vcpus = 4;

    private static readonly TimeSpan BootLimit = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    public static void Source(JobContext context)
    {
        using var system = KvmSystem.Open();
        var profile = MeasuredHost.Report().Profile;
        var directory = Directory.CreateTempSubdirectory("linux-").FullName;
        var socket = Path.Combine(directory, "source.sock");
        var input = new ConsoleInput();
        var guest = Console(input);
        LiveMachine? machine = null;
        if (!context.Case("a Linux VM of the pair's baseline is created", () => machine = Create(context, system, profile, input, guest))) return;
        machine!.Resume();
        var clock = Stopwatch.StartNew();
        using var server = MachineServer.Serve(socket, machine);
        if (!context.Case("it boots to a prompt", () => guest.AwaitPrompt(BootLimit))) return;
        context.Note($"booted after {clock.Elapsed.TotalSeconds:F0} s");
        context.Case("it calculates while it waits to be moved", () =>
        {
            var digest = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(LinuxGuest.Busybox)));
            guest.Type($"want='{digest}  -'\n");
            guest.Type($"check() {{ n=0; while :; do [ \"$(sha256sum < {LinuxGuest.Busybox})\" = \"$want\" ] || echo digest >> /wrong; n=$((n+1)); echo $n > /n$1; done; }}\n");
            guest.Type("check 1 & check 2 &\n");
            guest.Type("back() { l=0; while :; do t=$(date +%s); [ $t -ge $l ] || echo date >> /wrong; l=$t; sleep 1; done; }\nback &\n");
            guest.Type("cut -d. -f1 /proc/uptime > /before\n");
            Counting(guest);
        });
        // It arrives in the middle of a line.
        guest.Type("echo half-");
        context.Case("it moves while it runs", () =>
        {
            var report = Sender.Send(new SendOptions
            {
                MachineSocket = socket,
                Host = context.Peer.Address.ToString(),
                Port = context.Peer.Port,
                State = new StateDirectory(Path.Combine(directory, "state")),
                // The destination's agent compiles its half of the talk when it is first spoken to.
                ConnectTimeout = Patience,
                MaxDowntime = TimeSpan.FromSeconds(5),
                Timeout = TimeSpan.FromMinutes(8),
                ReplyTimeout = Patience,
                StopTimeout = Patience,
                Verify = true,
            });
            CheckFailedException.That(report.Verified, "memory was not compared");
            context.Note(MoveJob.Words(report));
        });
        context.Case("it is gone here", () =>
        {
            CheckFailedException.Equal((LifecycleState.Destroyed, ""), (server.Status.State, server.Status.Note), "state, and what went wrong");
            CheckFailedException.Equal(0, input.TrySend("x"u8), "characters taken of one");
        });
    }

    public static void Destination(JobContext context)
    {
        using var system = KvmSystem.Open();
        var profile = MeasuredHost.Report().Profile;
        var directory = Directory.CreateTempSubdirectory("linux-").FullName;
        var socket = Path.Combine(directory, "incoming.sock");
        var input = new ConsoleInput();
        var guest = Console(input);
        using var ended = new ManualResetEventSlim();
        var vmm = Vmm(profile, input, guest, line =>
        {
            context.Note(line);
            ended.Set();
        });
        using var server = MachineServer.ServeIncoming(socket, "incoming", description => new LiveIncoming(system, description, vmm));
        var options = new AgentOptions
        {
            Listen = new(System.Net.IPAddress.Any, PairJob.Port),
            Insecure = true,
            // The guest boots while the agent waits for it.
            GreetingTimeout = BootLimit + Patience,
            IdleTimeout = Patience,
            Report = context.Note,
        };
        using var agent = new RestoreAgent(options, new StateDirectory(Path.Combine(directory, "state")), new KnownProfile(profile), new AttachedIncoming(socket), new KvmScratchHost(system));
        context.Listening();
        if (!context.Case("a Linux VM arrives and runs", () =>
        {
            var since = Stopwatch.StartNew();
            while (server.Status.State != LifecycleState.Running)
            {
                CheckFailedException.That(since.Elapsed < BootLimit + Patience, $"it is {server.Status.State} after {since.Elapsed.TotalSeconds:F0} s");
                Thread.Sleep(50);
            }
        })) return;
        context.Case("the line that was half typed there is finished here", () =>
        {
            guest.Type("typed\n");
            guest.AwaitLine("half-typed", Patience);
        });
        context.Case("it goes on calculating", () => Counting(guest));
        context.Case("no digest was wrong, no second came twice", () => CheckFailedException.Equal("", guest.Ask("cat /wrong 2>/dev/null", Patience), "what was wrong"));
        context.Case("all CPUs are online", () =>
        {
            CheckFailedException.Equal("0-3", guest.Ask("cat /sys/devices/system/cpu/online", Patience), "online");
            for (var i = 0; i < Vcpus; i++) CheckFailedException.Equal("42", guest.Ask($"taskset {1 << i:x} echo 42", Patience), $"on CPU {i}");
        });
        context.Case("its time went on from where it was", () =>
        {
            var before = guest.AskNumber("cat /before", Patience);
            var after = guest.AskNumber("cut -d. -f1 /proc/uptime", Patience);
            CheckFailedException.That(after >= before && after < before + 1800, $"up for {before} s before the move, {after} s after it");
        });
        context.Case("its kernel complains of nothing", () => CheckFailedException.Equal("end", guest.Ask(Complaints, Patience),
            $"complaints ({guest.Ask("dmesg | tail -n 30", Patience)})"));
        context.Note($"after the move: {guest.Ask("cat /n1 /n2", Patience)} digests; {guest.Ask("uname -r; grep -E 'pl011|arch_timer' /proc/interrupts", Patience)}");
        context.Case("it switches itself off", () =>
        {
            guest.Type("poweroff -f\n");
            CheckFailedException.That(ended.Wait(Patience), $"it did not; the console said last:\n{guest.Last()}");
        });
    }

    /// <summary>Both counters count.</summary>
    private static void Counting(LinuxGuest guest)
    {
        var clock = Stopwatch.StartNew();
        var first = guest.Ask("cat /n1 /n2 2>/dev/null", Patience);
        while (true)
        {
            var (was, now) = (Numbers(first), Numbers(guest.Ask("sleep 1; cat /n1 /n2 2>/dev/null", Patience)));
            if (now.Length == 2 && (was.Length < 2 || (now[0] > was[0] && now[1] > was[1]))) return;
            CheckFailedException.That(clock.Elapsed < Patience, $"the counters stand at '{string.Join(' ', now)}', before at '{first}'");
        }
    }

    private static long[] Numbers(string text) => [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(n => long.Parse(n, CultureInfo.InvariantCulture))];

    private static LinuxGuest Console(ConsoleInput input) => new(bytes => input.Send(bytes, CancellationToken.None));

    private static VmmOptions Vmm(HostProfile host, ConsoleInput input, LinuxGuest guest, Action<string> ended) =>
        new() { Boot = host.Boot, CounterFrequency = host.CounterFrequency, Console = guest.Printed, Input = input, Ended = ended };

    private static LiveMachine Create(JobContext context, KvmSystem system, HostProfile here, ConsoleInput input, LinuxGuest guest)
    {
        CheckFailedException.That(LinuxGuest.Obstacle is null, LinuxGuest.Obstacle ?? "");
        var there = new AgentClient(context.Peer.Address.ToString(), context.Peer.Port) { Timeout = Patience }.Profile();
        var config = LabBaseline.ConfigOfPair(here, there, VcpuFeatures.Psci02);
        var memory = new MemorySlot(0, Board.MemoryBase, 160 << 20);
        var program = GuestProgram.Read(new GuestFiles(LinuxGuest.Kernel, LinuxGuest.Disk, "quiet"), memory);
        var spec = new MachineSpec
        {
            Vm = new VmDescription
            {
                Name = "linux",
                Id = Guid.NewGuid().ToString("n"),
                Type = config.Type,
                Features = config.Features,
                VcpuCount = Vcpus,
                Memory = [memory],
                Gic = DefaultMachine.Layout(GicKind.GicV3),
                Handlers = program.Handlers,
            },
            Registers = ConfiguredMachine.Writes(here, config),
            Devices = ConfiguredMachine.Devices(here, config),
            Entry = program.Entry,
            Argument = program.DeviceTreeAddress,
        };
        return MachineCreation.Create(system, spec, Vmm(here, input, guest, context.Note), program.Load);
    }
}
