using System.CommandLine;
using Migrate.Cli.Output;
using Migrate.Cli.Sources;
using Migrate.Model.Machines;

namespace Migrate.Cli.Commands;

/// <summary><c>vmmigrate diff A B</c>: what differs between two states or profiles, down to the field.</summary>
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
            var a = Input.State(parsed.GetValue(left)!, parsed.GetValue(features), out _);
            var b = Input.State(parsed.GetValue(right)!, parsed.GetValue(features), out _);
            var rows = StateDifference.Between(a, b).ToList();
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
