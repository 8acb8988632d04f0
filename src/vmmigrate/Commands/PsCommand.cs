using System.CommandLine;
using Migrate.Cli.Output;
using Migrate.Cli.Sources;
using Migrate.Model;
using Migrate.Model.Errors;
using Migrate.Transfer.Machines;

namespace Migrate.Cli.Commands;

/// <summary><c>vmmigrate ps</c>: the machines of this user, asked one by one; a socket that nobody listens on is said to be dead, a process that does not answer unknown.</summary>
internal static class PsCommand
{
    private sealed record Row(string Name, string Socket, MachineStatus? Status, MigrateException? Problem)
    {
        public string State => Status is { } status ? KebabCase.Of(status.State.ToString()) : Problem is null ? "dead" : "unknown";

        public string Words => Status is { } s ? string.Join(", ", [.. s.Counters.Select(c => $"{c.Key} {c.Value}"), .. s.Note.Length > 0 ? new[] { s.Note } : []])
            : Problem?.Message ?? "nobody answers: its process ended";
    }

    public static Command Build(Terminal terminal)
    {
        var json = Options.Json();
        var command = new Command("ps", "List the machines here and what each is doing.") { json };
        command.SetAction(parsed =>
        {
            var rows = StateDirectory.Names().Select(Ask).ToList();
            if (parsed.GetValue(json)) terminal.Out.WriteLine(Document(rows));
            else if (rows.Count == 0) terminal.Out.WriteLine($"No machines in {StateDirectory.Machines}.");
            else
            {
                terminal.Write(["Name", "State", "Pid", "Socket", "Handover", "Session", "Progress"], rows.Select(r => (IReadOnlyList<string>)
                [
                    r.Name, r.State, $"{r.Status?.Pid}", Path.GetFileName(r.Socket), r.Status?.HandoverId ?? "", r.Status?.Session ?? "",
                    r.Words,
                ]));
            }
            return ExitCode.Yes;
        });
        return command;
    }

    private static Row Ask(string name)
    {
        var socket = StateDirectory.SocketOf(name);
        var status = StateDirectory.Ask(socket, out var problem);
        return new Row(status?.Name ?? name, socket, status, problem);
    }

    private static string Document(List<Row> rows) => StatusDocument.Write("vmmigrate/machines/1", json =>
    {
        json.WriteStartArray("machines");
        foreach (var row in rows)
        {
            json.WriteStartObject();
            json.WriteString("name", row.Name);
            json.WriteString("socket", row.Socket);
            json.WriteString("state", row.State);
            if (row.Status is { } status) StatusDocument.Members(json, status);
            if (row.Problem is { } problem) json.WriteString("problem", problem.Message);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    });
}
