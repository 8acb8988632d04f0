using System.CommandLine;
using Migrate.Cli.Output;
using Migrate.Cli.Sources;
using Migrate.Model.Encoding;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Preflight;

namespace Migrate.Cli.Commands;

/// <summary><c>vmmigrate check SRC DST</c>: will it survive, why not, and what to do.</summary>
internal static class CheckCommand
{
    public static Command Build(Terminal terminal)
    {
        var source = new Argument<string>("SRC") { Description = "A state, capture, snapshot, host profile, HOST:PORT of an agent, or a machine's name." };
        var destination = new Argument<string>("DST") { Description = "A host profile or capture of a host, or HOST:PORT of an agent." };
        var policy = Options.PolicyOf();
        var accept = Options.Accept();
        var features = Options.Features();
        var plan = new Option<bool>("--plan") { Description = "Show every step of the plan as well." };
        var json = Options.Json();
        var command = new Command("check", "Say before a move whether the VM will survive it, why not, and what to do.")
        {
            source, destination, policy, accept, features, plan, json,
        };
        command.SetAction(parsed =>
        {
            var options = Options.Plan(parsed.GetValue(policy)!, parsed.GetValue(accept)!);
            // Side by side: a cold start is mostly compilation, and each side compiles its own readers.
            var reading = Task.Run(() => Input.Profile(parsed.GetValue(destination)!, "DST"));
            MachineState state;
            HostProfile? sourceProfile;
            try
            {
                state = Input.State(parsed.GetValue(source)!, parsed.GetValue(features), out sourceProfile);
            }
            catch
            {
                // The first side's error is the one that is told.
                _ = reading.ContinueWith(t => t.Exception, TaskScheduler.Default);
                throw;
            }
            var host = reading.GetAwaiter().GetResult();
            var restore = Planner.Plan(state, host, options, sourceProfile);
            var report = Reports.Of(restore, state, host, parsed.GetValue(plan));
            if (parsed.GetValue(json)) terminal.Out.WriteLine(JsonEncoding.Encode(Documents.CheckReport, report));
            else ReportText.Write(terminal, report);
            return ReportText.ExitCodeOf(report.Verdict);
        });
        return command;
    }
}
