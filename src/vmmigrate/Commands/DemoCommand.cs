using System.CommandLine;
using Migrate.Cli.Demo;
using Migrate.Cli.Output;
using Migrate.Simulation.Sabotage;

namespace Migrate.Cli.Commands;

/// <summary><c>vmmigrate demo</c>: the main job on one machine, without root and without arm64.</summary>
internal static class DemoCommand
{
    public static Command Build(Terminal terminal)
    {
        var sabotage = new Option<string?>("--sabotage") { Description = "Break one thing on purpose; the demo must then fail and name it." };
        sabotage.AcceptOnlyFromAmong([.. Sabotages.All.Select(s => s.Name)]);
        var memory = Options.Bytes("--memory", "Memory of the machine that moves.", 1UL << 30);
        var command = new Command("demo", "Check two real hosts both ways, then move a running simulated VM between processes and prove that the guest could not tell.") { sabotage, memory };
        command.SetAction(parsed => new Demonstration(terminal, parsed.GetValue(memory), parsed.GetValue(sabotage)).Run());
        return command;
    }
}
