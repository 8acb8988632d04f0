using System.CommandLine;
using Migrate.Cli.Output;
using Migrate.Cli.Sources;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;

namespace Migrate.Cli.Commands;

/// <summary><c>vmmigrate diff A B</c>: what differs between two states or hosts, down to the field.</summary>
internal static class DiffCommand
{
    public static Command Build(Terminal terminal)
    {
        var left = new Argument<string>("A") { Description = "A state, profile, capture or snapshot." };
        var right = new Argument<string>("B") { Description = "Another one." };
        var features = Options.Features();
        var command = new Command("diff", "Show what differs between two states or hosts, registers and fields by name. Exit code 1 when they differ.") { left, right, features };
        command.SetAction(parsed =>
        {
            var (a, b, shape) = (parsed.GetValue(left)!, parsed.GetValue(right)!, parsed.GetValue(features));
            // Features ask for the VM that each host creates with them; without, two hosts are compared as hosts.
            var rows = (shape is null && Input.TryProfile(a) is { } here && Input.TryProfile(b) is { } there
                ? ProfileDifference.Between(here, there)
                : StateDifference.Between(Input.State(a, shape, out _), Input.State(b, shape, out _))).ToList();
            if (rows.Count == 0)
            {
                terminal.Out.WriteLine("No difference.");
                return ExitCode.Yes;
            }
            terminal.Write(["Subject", "A", "B"], rows.Select(r => (IReadOnlyList<string>)[r.Subject, r.Here, r.There]));
            terminal.Out.WriteLine(rows.Count == 1 ? "1 difference." : $"{rows.Count} differences.");
            return ExitCode.No;
        });
        return command;
    }
}
