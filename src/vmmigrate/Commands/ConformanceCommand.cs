using System.CommandLine;
using System.Runtime.InteropServices;
using Migrate.Cli.Output;
using Migrate.Cli.Sources;
using Migrate.Transfer.Conformance;

namespace Migrate.Cli.Commands;

/// <summary><c>vmmigrate conformance MACHINE</c>: tries the promises of the machine socket on any VMM's process.</summary>
internal static class ConformanceCommand
{
    public static Command Build(Terminal terminal)
    {
        var machine = new Argument<string?>("MACHINE")
        {
            Description = "A machine that runs or is paused, by name or by the path of its socket. It is stopped for moments and left as it was. A guest that writes memory lets more be tried.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var incoming = new Option<string?>("--incoming") { Description = "A process that waits for a machine: that side's promises are tried there with the state of MACHINE.", HelpName = "MACHINE" };
        var destroy = new Option<bool>("--destroy")
        {
            Description = "Try those promises too after which the machine is gone, last: MACHINE is handed over to the incoming place, if there is one, and both are destroyed. For a machine that nobody needs.",
        };
        var slow = new Option<bool>("--slow") { Description = "Wait as long as the specification lets a server wait (half a minute)." };
        var only = new Option<string[]>("--only") { Description = "Try this promise only; may be repeated.", HelpName = "NAME", DefaultValueFactory = _ => [] };
        only.CompletionSources.Add(_ => PromiseTable.All.Select(p => new System.CommandLine.Completions.CompletionItem(p.Name)));
        var list = new Option<bool>("--list") { Description = "List the promises by name and try none." };
        var json = Options.Json();
        var command = new Command("conformance", "Try the promises of the machine socket (schemas/machine-socket.md) on a running machine, whatever VMM it belongs to: exit 0 when none is broken, 1 when one is.")
        {
            machine, incoming, destroy, slow, only, list, json,
        };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(list))
            {
                ConformanceText.WriteList(terminal, parsed.GetValue(json));
                return ExitCode.Yes;
            }
            if (parsed.GetValue(machine) is not { } named) throw new UsageException("which MACHINE? (--list needs none)", "conformance");

            // What is being tried is brought to its end: the machine must not stay stopped.
            using var stop = new CancellationTokenSource();
            using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => { context.Cancel = true; stop.Cancel(); });
            using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => { context.Cancel = true; stop.Cancel(); });
            var options = new ConformanceOptions
            {
                Incoming = parsed.GetValue(incoming) is { } place ? StateDirectory.Resolve(place) : null,
                Only = parsed.GetValue(only)!,
                MayEndMachine = parsed.GetValue(destroy),
                Slow = parsed.GetValue(slow),
                Trying = terminal.IsLive ? promise => terminal.Error.Write($"\r\x1b[Kconformance: {promise.Name}") : null,
            };
            var report = ConformanceRun.Run(StateDirectory.Resolve(named), options, stop.Token);
            if (terminal.IsLive) terminal.Error.Write("\r\x1b[K");
            ConformanceText.Write(terminal, report, parsed.GetValue(json));
            return ConformanceText.ExitCodeOf(report);
        });
        return command;
    }
}
