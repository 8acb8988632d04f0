using System.CommandLine;
using Migrate.Cli.Output;
using Migrate.Cli.Sources;
using Migrate.Model;
using Migrate.Transfer.Machines;
using Migrate.Transfer.Send;

namespace Migrate.Cli.Commands;

/// <summary><c>vmmigrate status MACHINE|HOST:PORT</c>: what a machine or an agent is doing now.</summary>
internal static class StatusCommand
{
    public static Command Build(Terminal terminal)
    {
        var who = new Argument<string>("WHO") { Description = "A machine's name, the path of its socket, or HOST:PORT of an agent." };
        var json = Options.Json();
        var command = new Command("status", "Show what a machine or an agent is doing.") { who, json };
        command.SetAction(parsed =>
        {
            var name = parsed.GetValue(who)!;
            if (Endpoint.TryParse(name, out var agent) && !Input.IsMachine(name)) Agent(terminal, agent, parsed.GetValue(json));
            else Machine(terminal, StateDirectory.Resolve(name), parsed.GetValue(json));
            return ExitCode.Yes;
        });
        return command;
    }

    private static void Agent(Terminal terminal, Endpoint agent, bool json)
    {
        var status = new AgentClient(agent.Host, agent.Port).Status();
        if (json)
        {
            terminal.Out.WriteLine(StatusDocument.Of(status));
            return;
        }
        terminal.Out.WriteLine($"agent {status.AgentId} on {status.HostName}, pid {status.Pid}, {status.Moves.Count} moves in progress");
        if (status.Moves.Count == 0) return;
        terminal.Write(["Handover", "Machine", "From", "State", "Pages", "Bytes"],
            status.Moves.Select(m => (IReadOnlyList<string>)[m.HandoverId, m.VmName, m.Peer, KebabCase.Of(m.State.ToString()), $"{m.Pages}", Units.Bytes(m.Bytes)]));
    }

    private static void Machine(Terminal terminal, string socket, bool json)
    {
        using var client = MachineClient.Connect(socket);
        var status = client.Status();
        if (json)
        {
            terminal.Out.WriteLine(StatusDocument.Of(status, socket));
            return;
        }
        terminal.Out.WriteLine($"{status.Name}: {KebabCase.Of(status.State.ToString())}, pid {status.Pid}");
        List<IReadOnlyList<string>> rows = [["id", status.VmId]];
        if (status.HandoverId.Length > 0) rows.Add(["handover", status.HandoverId]);
        if (status.Session.Length > 0) rows.Add(["session", status.Session]);
        if (status.Note.Length > 0) rows.Add(["note", status.Note]);
        rows.AddRange(status.Counters.Select(c => (IReadOnlyList<string>)[c.Key, $"{c.Value}"]));
        terminal.Write(["", ""], rows);
    }
}
