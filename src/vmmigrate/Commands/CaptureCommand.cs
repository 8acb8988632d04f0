using System.CommandLine;
using Migrate.Cli.Output;
using Migrate.Cli.Sources;
using Migrate.Linux.Files;
using Migrate.Model.Encoding;
using Migrate.Model.Machines;
using Migrate.Transfer.Machines;

namespace Migrate.Cli.Commands;

/// <summary><c>vmmigrate capture MACHINE</c>: the whole state of a machine without its memory; it is stopped for the moment that this takes.</summary>
internal static class CaptureCommand
{
    public static Command Build(Terminal terminal)
    {
        var machine = new Argument<string>("MACHINE") { Description = "A machine's name, or the path of its socket." };
        var output = new Option<string>("--output", "-o") { Description = "Where to write; a name that ends in .json gets JSON, any other MessagePack, '-' is JSON on stdout.", HelpName = "OUT", DefaultValueFactory = _ => "-" };
        var command = new Command("capture", "Write a machine's state (registers, description, devices; no memory) to a file.") { machine, output };
        command.SetAction(parsed =>
        {
            var state = Capture(StateDirectory.Resolve(parsed.GetValue(machine)!));
            var to = parsed.GetValue(output)!;
            if (to == "-") terminal.Out.WriteLine(JsonEncoding.Encode(Documents.MachineState, state));
            else
            {
                var bytes = to.EndsWith(".json", StringComparison.Ordinal)
                    ? System.Text.Encoding.UTF8.GetBytes(JsonEncoding.Encode(Documents.MachineState, state) + "\n")
                    : MessagePackEncoding.Encode(Documents.MachineState, state);
                DurableFile.WriteAtomically(to, bytes, UnixFileMode.UserRead | UnixFileMode.UserWrite);
                terminal.Error.WriteLine($"{to}: {state.Vcpus.Count} vCPUs, {state.Vcpus.Sum(v => v.Registers.Count)} registers");
            }
            return ExitCode.Yes;
        });
        return command;
    }

    /// <summary>Stops, captures, and lets it run on; the session's end resumes the machine if anything fails between.</summary>
    private static MachineState Capture(string socket)
    {
        using var client = MachineClient.Connect(socket);
        using var session = client.OpenSource();
        session.Quiesce();
        return session.Capture();
    }
}
