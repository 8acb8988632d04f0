using System.CommandLine;
using System.Runtime.InteropServices;
using Migrate.Cli.Demo;
using Migrate.Cli.Output;
using Migrate.Cli.Sources;
using Migrate.Linux.Processes;
using Migrate.Model.Errors;
using Migrate.Model.Hosts;
using Migrate.Model.Ports;
using Migrate.Simulation.Hosts;
using Migrate.Transfer.Agent;

namespace Migrate.Cli.Commands;

/// <summary><c>vmmigrate agent</c>: the restore agent of a host. It hosts no VM: it attaches to one that waits, or starts one in a session of its own.</summary>
internal static class AgentCommand
{
    /// <summary>Where an agent listens when nothing else is said; the API takes the next port.</summary>
    public const string DefaultListen = "127.0.0.1:7470";

    /// <summary>What a guest may print into the log of the process that the agent started for it.</summary>
    private const string LongestLog = "64M";

    private sealed class FixedProfile(HostProfile profile) : IProfileSource
    {
        public HostProfile Measure() => profile;
    }

    public static Command Build(Terminal terminal)
    {
        var listen = new Option<string>("--listen") { Description = "Where to listen; port 0 lets the kernel choose.", HelpName = "HOST:PORT", DefaultValueFactory = _ => DefaultListen };
        var insecure = new Option<bool>("--insecure") { Description = "Listen on an address that others can reach, without encryption or authentication." };
        var simulate = new Option<string?>("--simulate")
        {
            Description = $"Be a simulated host instead of this one that answers as this profile says: {string.Join(", ", BundledHosts.Names)}, or a file (default {BundledHosts.Default}); starts simulated machines.",
            HelpName = "PROFILE",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var profile = new Option<string?>("--profile") { Description = "Believe this profile of this very boot (vmmigrate probe -o FILE) instead of measuring the host at the start.", HelpName = "FILE" };
        var attach = new Option<string?>("--attach") { Description = "Restore into the machine that waits at this socket. Without it the agent starts one for each machine that comes.", HelpName = "MACHINE" };
        var handlers = new Option<string?>("--handlers") { Description = "Services that the VMM of --attach or of VMM gives its guests, comma-separated, such as psci,sdei,pl011, or none (default: those of vmmigrate run with --attach, none with VMM).", HelpName = "LIST" };
        var overcommit = new Option<bool>("--overcommit") { Description = "Take machines that need more memory than is available here, or than the agent's control group leaves." };
        var stdin = new Option<bool>("--end-with-stdin") { Description = "End when standard input ends." };
        var vmm = new Argument<string[]>("VMM")
        {
            Description = "Behind --: another VMM's command and its arguments, started for each machine that comes; {socket} in one stands for the machine socket it must open, {name} for the machine's name; it stays in the foreground (default: vmmigrate run --incoming).",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var sabotage = new Option<string?>("--sabotage") { Description = "Break one thing on purpose (a test instrument).", Hidden = true };
        var command = new Command("agent", "Receive machines on this host: measure it, plan, try, restore, start, and answer what became of each handover.") { listen, insecure, simulate, profile, attach, handlers, overcommit, stdin, sabotage, vmm };
        command.SetAction(parsed =>
        {
            var endpoint = Endpoint.Parse(parsed.GetValue(listen)!).RequireLoopback(parsed.GetValue(insecure));
            var simulated = parsed.GetResult(simulate) is null ? null : parsed.GetValue(simulate) ?? BundledHosts.Default;
            if (simulated is not null && parsed.GetValue(profile) is not null)
                throw new UsageException("--profile is about this host, --simulate about none: one of them", "agent");
            var launched = parsed.GetValue(vmm)!;
            if (launched.Length > 0 && parsed.GetValue(attach) is not null) throw new UsageException("--attach names a VMM that waits, and a command behind -- starts one: one of them", "agent");
            if (launched.Length > 0) LaunchTemplate.Require(launched, "agent");
            var services = parsed.GetValue(handlers) ?? (launched.Length > 0 ? "none" : null);
            if (services is not null && launched.Length == 0 && parsed.GetValue(attach) is null) throw new UsageException("--handlers is about another VMM: with --attach, or with its command behind --", "agent");
            var waiting = parsed.GetValue(attach) is { } machine ? new AttachedIncoming(StateDirectory.Resolve(machine)) : null;
            using var real = simulated is null ? Real(terminal, parsed.GetValue(profile)) : null;
            var host = real?.Profile ?? BundledHosts.Resolve(simulated);
            if (services is not null) host = host with { Handlers = LaunchTemplate.Handlers(services) };
            // Services of another VMM's own cannot be tried on a scratch VM, which is this program's.
            IScratchHost? scratch = services is not (null or "none") ? null : real is null ? new SimulatedHost(host) : real.Scratch;
            StateDirectory.Create();
            var state = HandoverState.Open();
            IIncomingLauncher launcher = waiting is not null ? waiting
                : launched.Length > 0 ? Launched(state, launched)
                : simulated is not null ? Own(state, ["run", "--simulate", simulated, "--incoming"], parsed.GetValue(sabotage))
                : Own(state, ["run", "--incoming", "--console-limit", LongestLog], null);
            var options = new AgentOptions
            {
                Listen = endpoint.Resolve(),
                Insecure = parsed.GetValue(insecure),
                AvailableMemory = parsed.GetValue(overcommit) ? null : HostMemory.Available,
                Report = line => terminal.Error.WriteLine(line),
            };

            using var ended = new ManualResetEventSlim();
            using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => { context.Cancel = true; ended.Set(); });
            using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => { context.Cancel = true; ended.Set(); });
            if (parsed.GetValue(stdin)) ThisProcess.WhenStdinEnds(ended.Set);
            using var agent = new RestoreAgent(options, state, new FixedProfile(host), launcher, scratch);
            terminal.Error.WriteLine($"agent {agent.AgentId} listening on {agent.EndPoint}");
            ended.Wait();
            return ExitCode.Yes;
        });
        return command;
    }

    /// <summary>A process of this program for each machine that comes.</summary>
    private static LaunchedIncoming Own(Transfer.Handover.StateDirectory state, IReadOnlyList<string> verb, string? sabotage)
    {
        List<string> run = [.. Child.Command, .. verb, "--socket", "{socket}", "--name", "{name}"];
        if (sabotage is not null) run.AddRange(["--sabotage", sabotage]);
        return Launched(state, run);
    }

    /// <summary>A process of a VMM for each machine that comes; it outlives the agent.</summary>
    private static LaunchedIncoming Launched(Transfer.Handover.StateDirectory state, IReadOnlyList<string> command) =>
        new(command[0], [.. command.Skip(1)], StateDirectory.Machines, state.AgentId()[..8], TimeSpan.FromSeconds(30));

    private static ThisHost Real(Terminal terminal, string? profile)
    {
        try
        {
            return ThisHost.Open(terminal, profile);
        }
        catch (MigrateException e) when (e.Code == ErrorCode.Unsupported)
        {
            throw new MigrateException(e.Code, e.Message, e) { Stage = Stage.Input, Remedy = "Run it on the arm64 host, or try it without one: vmmigrate agent --simulate." };
        }
    }
}
