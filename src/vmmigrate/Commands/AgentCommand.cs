using System.CommandLine;
using System.Runtime.InteropServices;
using Migrate.Cli.Demo;
using Migrate.Cli.Output;
using Migrate.Cli.Sources;
using Migrate.Linux.Processes;
using Migrate.Model.Hosts;
using Migrate.Transfer.Agent;

namespace Migrate.Cli.Commands;

/// <summary><c>vmmigrate agent</c>: the restore agent of a host. It hosts no VM: it attaches to one that waits, or starts one in a session of its own.</summary>
internal static class AgentCommand
{
    /// <summary>Where an agent listens when nothing else is said; the API takes the next port.</summary>
    public const string DefaultListen = "127.0.0.1:7470";

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
            Description = $"Be a simulated host that answers as this profile says: {string.Join(", ", BundledHosts.Names)}, or a file (default {BundledHosts.Default}).",
            HelpName = "PROFILE",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var attach = new Option<string?>("--attach") { Description = "Restore into the machine that waits at this socket (vmmigrate run --incoming) instead of starting one.", HelpName = "MACHINE" };
        var stdin = new Option<bool>("--end-with-stdin") { Description = "End when standard input ends." };
        var sabotage = new Option<string?>("--sabotage") { Description = "Break one thing on purpose (a test instrument).", Hidden = true };
        var command = new Command("agent", "Receive machines on this host: plan, restore, start, and answer what became of each handover.") { listen, insecure, simulate, attach, stdin, sabotage };
        command.SetAction(parsed =>
        {
            if (parsed.GetResult(simulate) is null) throw new UsageException("this build restores simulated machines only: add --simulate", "agent");
            var endpoint = Endpoint.Parse(parsed.GetValue(listen)!).RequireLoopback(parsed.GetValue(insecure));
            var name = parsed.GetValue(simulate) ?? BundledHosts.Default;
            var host = BundledHosts.Resolve(name);
            StateDirectory.Create();
            List<string> run = [Child.Assembly, "run", "--simulate", name, "--incoming", "--socket", "{socket}", "--name", "{name}"];
            if (parsed.GetValue(sabotage) is { } fault) run.AddRange(["--sabotage", fault]);
            IIncomingLauncher launcher = parsed.GetValue(attach) is { } waiting
                ? new AttachedIncoming(StateDirectory.Resolve(waiting))
                : new LaunchedIncoming(Child.Runtime, run, StateDirectory.Machines, TimeSpan.FromSeconds(30));
            var options = new AgentOptions
            {
                Listen = endpoint.Resolve(),
                Insecure = parsed.GetValue(insecure),
                Report = line => terminal.Error.WriteLine(line),
            };

            using var ended = new ManualResetEventSlim();
            using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => { context.Cancel = true; ended.Set(); });
            using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => { context.Cancel = true; ended.Set(); });
            if (parsed.GetValue(stdin)) ThisProcess.WhenStdinEnds(ended.Set);
            using var agent = new RestoreAgent(options, HandoverState.Open(), new FixedProfile(host), launcher);
            terminal.Error.WriteLine($"agent {agent.AgentId} listening on {agent.EndPoint}");
            ended.Wait();
            return ExitCode.Yes;
        });
        return command;
    }
}
