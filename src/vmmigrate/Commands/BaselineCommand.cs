using System.CommandLine;
using Migrate.Cli.Output;
using Migrate.Cli.Sources;
using Migrate.Linux.Files;
using Migrate.Model;
using Migrate.Model.Encoding;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Preflight.Baselines;

namespace Migrate.Cli.Commands;

/// <summary><c>vmmigrate baseline HOST...</c>: the richest VM configuration that moves between all of them, or why there is none and the fewest pools.</summary>
internal static class BaselineCommand
{
    private const UnixFileMode ForEverybody = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    public static Command Build(Terminal terminal)
    {
        var hosts = new Argument<string[]>("HOST") { Description = "Host profiles, captures of hosts, or HOST:PORT of agents.", Arity = ArgumentArity.OneOrMore };
        var features = Options.Features();
        var accept = Options.Accept();
        var output = new Option<string?>("--output", "-o")
        {
            Description = "Where to write the configuration (JSON) that vmmigrate run --config takes; of several pools each gets a file of its own.",
            HelpName = "FILE",
        };
        var qemu = new Option<bool>("--qemu") { Description = "Print QEMU's -machine and -cpu options, and what they cannot say." };
        var firecracker = new Option<string?>("--firecracker") { Description = "Where to write a Firecracker custom CPU template; says what it cannot hold.", HelpName = "FILE" };
        var json = Options.Json();
        var command = new Command("baseline", "Find the richest VM configuration that moves from every host of a set to every other, or the fewest pools.")
        {
            hosts, features, accept, output, qemu, firecracker, json,
        };
        command.SetAction(parsed =>
        {
            var options = Options.Plan(KebabCase.Of(Policy.Vmmigrate.ToString()), parsed.GetValue(accept)!);
            var report = Baseline.Of([.. FleetInput.Hosts([.. parsed.GetValue(hosts)!.Distinct()]).Select(h => new BaselineHost(h.Name, h.Profile))], parsed.GetValue(features), options);
            if (parsed.GetValue(json)) terminal.Out.WriteLine(JsonEncoding.Encode(Documents.Baseline, report));
            else BaselineText.Write(terminal, report, parsed.GetValue(qemu));
            if (parsed.GetValue(output) is { } to)
                WriteEach(terminal, report, to, config => JsonEncoding.Encode(Documents.VmConfig, config));
            if (parsed.GetValue(firecracker) is { } template)
                WriteEach(terminal, report, template, config =>
                {
                    var made = FirecrackerTemplate.Of(config);
                    foreach (var missing in made.NotExpressed) terminal.Error.WriteLine($"Firecracker: {missing}");
                    return made.Text;
                });
            return ReportText.ExitCodeOf(report.Verdict);
        });
        return command;
    }

    private static void WriteEach(Terminal terminal, BaselineReport report, string path, Func<VmConfig, string> text)
    {
        for (var i = 0; i < report.Pools.Count; i++)
        {
            var to = report.Pools.Count == 1 ? path : Path.ChangeExtension(path, $"{i + 1}{Path.GetExtension(path)}");
            DurableFile.WriteAtomically(to, System.Text.Encoding.UTF8.GetBytes(text(report.Pools[i].Config) + "\n"), ForEverybody);
            terminal.Error.WriteLine($"written to {to}{(report.Pools.Count == 1 ? "" : $" (pool {i + 1}: {string.Join(", ", report.Pools[i].Hosts)})")}");
        }
    }
}
