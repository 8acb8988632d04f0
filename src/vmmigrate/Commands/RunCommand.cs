using System.CommandLine;
using System.Runtime.InteropServices;
using Migrate.Cli.Output;
using Migrate.Cli.Sources;
using Migrate.Kvm.Vmm;
using Migrate.Linux.Processes;
using Migrate.Model.Firmware;
using Migrate.Model.Hosts;
using Migrate.Preflight;
using Migrate.Preflight.Baselines;
using Migrate.Simulation.Machines;
using Migrate.Simulation.Sabotage;
using Migrate.Transfer.Machines;

namespace Migrate.Cli.Commands;

/// <summary><c>vmmigrate run</c>: a process that owns one VM and serves its machine socket until the VM ends or moves away.</summary>
internal static class RunCommand
{
    public static Command Build(Terminal terminal)
    {
        var simulate = new Option<string?>("--simulate")
        {
            Description = $"A simulated VM on a host that answers as this profile says: {string.Join(", ", BundledHosts.Names)}, a file, or HOST:PORT (default {BundledHosts.Default}).",
            HelpName = "PROFILE",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var kernel = new Option<string?>("--kernel") { Description = "A VM on this host's own KVM: an arm64 Linux kernel (Image or vmlinuz), or a flat A64 program, loaded and entered where memory begins (0x40000000). Its console, a PL011 at 0x09000000, is on standard output and input.", HelpName = "FILE" };
        var initrd = new Option<string?>("--initrd") { Description = "Initial RAM disk of a Linux kernel.", HelpName = "FILE" };
        var append = new Option<string?>("--append") { Description = "Command line of a Linux kernel; its console is ttyAMA0 without asking.", HelpName = "TEXT" };
        var psci = new Option<string?>("--psci") { Description = "Pin the PSCI version of a VM with --kernel, so that it can move to kernels that know no newer one.", HelpName = "VERSION" };
        var handlers = new Option<string?>("--handlers") { Description = "Services that this VMM gives the guest of a VM with --kernel in place of the kernel's, comma-separated: psci, sdei. Needs a kernel with the SMCCC filter (6.4).", HelpName = "LIST" };
        var filter = Options.SmcccFilter();
        var name = new Option<string>("--name") { Description = "The machine's name.", DefaultValueFactory = _ => "vm" };
        var socket = new Option<string?>("--socket") { Description = "Where its machine socket lies (default: by name, where every verb finds it).", HelpName = "PATH" };
        var incoming = new Option<bool>("--incoming") { Description = "Wait for a machine that is sent here." };
        var memory = Options.Bytes("--memory", "Guest memory.", 256UL << 20);
        var cpus = new Option<int>("--cpus") { Description = "vCPUs.", DefaultValueFactory = _ => 2 };
        var features = Options.Features();
        var config = new Option<string?>("--config") { Description = "Create it from a configuration that vmmigrate baseline wrote.", HelpName = "FILE" };
        var rate = new Option<ulong>("--rate") { Description = "Page writes a second over all vCPUs; 0 is as fast as they go.", DefaultValueFactory = _ => 20_000 };
        var fill = new Option<double>("--fill") { Description = "Share of memory that is not zero at the start.", DefaultValueFactory = _ => 0.5 };
        var hot = new Option<double>("--hot-pages") { Description = "Share of memory that gets nine tenths of the writes.", DefaultValueFactory = _ => 0.1 };
        var steps = new Option<ulong>("--steps") { Description = "Steps of each vCPU's program, then it halts; 0 never ends.", DefaultValueFactory = _ => 0 };
        var seed = new Option<ulong>("--seed") { Description = "Seed of the program.", DefaultValueFactory = _ => 1 };
        var mostConsole = Options.Bytes("--console-limit", "Most of the guest's console that is written to standard output, for one that is a log; 0 for no limit.", 0);
        var stdin = new Option<bool>("--end-with-stdin") { Description = "End when standard input ends." };
        var sabotage = new Option<string?>("--sabotage") { Description = "Break one thing on purpose (a test instrument).", Hidden = true };
        var command = new Command("run", "Run a machine and serve its socket: a VM on this host's KVM (--kernel, or --incoming), or a simulated one whose vCPUs really write memory (--simulate).")
        {
            simulate, kernel, initrd, append, psci, handlers, filter, name, socket, incoming, memory, cpus, features, config, rate, fill, hot, steps, seed, mostConsole, stdin, sabotage,
        };
        command.SetAction(parsed =>
        {
            var isSimulated = parsed.GetResult(simulate) is not null;
            var isIncoming = parsed.GetValue(incoming);
            if (isSimulated == (parsed.GetValue(kernel) is not null) && (isSimulated || !isIncoming))
                throw new UsageException("what is to run? one of --kernel FILE (this host's KVM) and --simulate", "run");
            if (isIncoming && parsed.GetValue(kernel) is not null) throw new UsageException("--incoming waits for a machine that brings its program: without --kernel", "run");
            foreach (var (option, value) in new[] { ("--psci", parsed.GetValue(psci)), ("--initrd", parsed.GetValue(initrd)), ("--append", parsed.GetValue(append)), ("--handlers", parsed.GetValue(handlers)) })
                if (value is not null && parsed.GetValue(kernel) is null) throw new UsageException($"{option} goes with --kernel", "run");
            if (parsed.GetValue(filter)!.Length > 0 && parsed.GetValue(kernel) is null) throw new UsageException("--smccc-filter goes with --kernel", "run");
            if (parsed.GetResult(config) is not null && (isIncoming || parsed.GetValue(features) is not null))
                throw new UsageException("--config says what a new machine is: it goes neither with --incoming nor with --features", "run");
            var wished = parsed.GetValue(config) is { } file ? FileInput.ReadConfig(file) : null;
            var fault = parsed.GetValue(sabotage) is { } wanted ? Sabotages.Named(wanted) : null;
            var path = parsed.GetValue(socket) ?? StateDirectory.SocketOf(parsed.GetValue(name)!);
            if (parsed.GetValue(socket) is null) StateDirectory.Create();

            using var ended = new ManualResetEventSlim();
            using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => { context.Cancel = true; ended.Set(); });
            using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => { context.Cancel = true; ended.Set(); });
            Action? inputEnded = parsed.GetValue(stdin) ? ended.Set : null;
            if (isSimulated && inputEnded is not null) ThisProcess.WhenStdinEnds(inputEnded);

            var options = new MachineServerOptions { Reached = HandoverState.MachineObserver(), Report = line => terminal.Error.WriteLine(line) };
            using var real = isSimulated ? null : RealMachine.Open(terminal, ended.Set, parsed.GetValue(mostConsole).Value);
            var host = isSimulated ? BundledHosts.Resolve(parsed.GetValue(simulate)) : null;
            using var server = isIncoming
                ? MachineServer.ServeIncoming(path, parsed.GetValue(name)!, real is not null ? real.Incoming : vm => fault is null ? new SimulatedIncoming(host!, vm) : fault.OnDestination(new SimulatedIncoming(host!, vm)), options)
                : MachineServer.Serve(path, real is not null ? FreshReal(real) : Fresh(host!), options);
            terminal.Error.WriteLine($"machine {parsed.GetValue(name)} at {path}, pid {Environment.ProcessId}");
            real?.ReadConsole(terminal, ended.Set, inputEnded);
            server.Destroyed.ContinueWith(_ => ended.Set(), TaskScheduler.Default);
            ended.Wait();
            return ExitCode.Yes;

            Model.Ports.IMachine FreshReal(RealMachine real)
            {
                PsciVersion? version = null;
                if (parsed.GetValue(psci) is { } text)
                    version = PsciVersion.TryParse(text, out var read) ? read : throw new UsageException($"--psci {text}: not a version such as 1.0", "run");
                var machine = real.Create(new RealMachineOptions
                {
                    Name = parsed.GetValue(name)!,
                    Files = new GuestFiles(parsed.GetValue(kernel)!, parsed.GetValue(initrd), parsed.GetValue(append)),
                    MemoryBytes = parsed.GetValue(memory).Value,
                    Vcpus = parsed.GetValue(cpus),
                    Features = parsed.GetValue(features),
                    Psci = version,
                    Handlers = parsed.GetValue(handlers)?.Split(',', StringSplitOptions.RemoveEmptyEntries) ?? [],
                    Filter = parsed.GetValue(filter)!,
                    Config = wished,
                });
                machine.Resume();
                return machine;
            }

            Model.Ports.IMachine Fresh(HostProfile host)
            {
                var machine = SimulatedMachine.Create(host, new MachineOptions
                {
                    Name = parsed.GetValue(name)!,
                    MemoryBytes = parsed.GetValue(memory).Value,
                    Vcpus = parsed.GetValue(cpus),
                    Features = wished?.Features ?? parsed.GetValue(features),
                    Type = wished?.Type ?? default,
                    Gic = wished is null ? default : DefaultMachine.Layout(wished.Gic),
                    Registers = wished is null ? [] : ConfiguredMachine.Writes(host, wished),
                    WritesPerSecond = parsed.GetValue(rate),
                    FillFraction = parsed.GetValue(fill),
                    HotPages = parsed.GetValue(hot),
                    Steps = parsed.GetValue(steps),
                    Seed = parsed.GetValue(seed),
                });
                machine.Resume();
                return fault?.OnSource(machine) ?? machine;
            }
        });
        return command;
    }
}
