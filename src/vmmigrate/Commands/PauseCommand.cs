using System.CommandLine;
using Migrate.Cli.Output;
using Migrate.Cli.Sources;
using Migrate.Transfer.Machines;

namespace Migrate.Cli.Commands;

/// <summary><c>vmmigrate pause</c> and <c>resume</c>: the operator's hand on one machine.</summary>
internal static class PauseCommand
{
    public static Command BuildPause(Terminal terminal) =>
        Build(terminal, "pause", "Stop a machine's vCPUs. Refused while a move holds the machine.", client => client.Pause(), "paused");

    public static Command BuildResume(Terminal terminal) =>
        Build(terminal, "resume", "Let a paused machine run on. A machine released to another host never resumes this way: see resolve.", client => client.Resume(), "running");

    private static Command Build(Terminal terminal, string verb, string description, Action<MachineClient> act, string outcome)
    {
        var machine = new Argument<string>("MACHINE") { Description = "A machine's name, or the path of its socket." };
        var command = new Command(verb, description) { machine };
        command.SetAction(parsed =>
        {
            using var client = MachineClient.Connect(StateDirectory.Resolve(parsed.GetValue(machine)!));
            act(client);
            terminal.Out.WriteLine($"{parsed.GetValue(machine)}: {outcome}");
            return ExitCode.Yes;
        });
        return command;
    }
}
