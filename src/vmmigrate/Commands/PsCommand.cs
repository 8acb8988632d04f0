using System.CommandLine;
using System.Text.Json;
using Migrate.Cli.Output;
using Migrate.Cli.Sources;
using Migrate.Model;
using Migrate.Model.Errors;
using Migrate.Transfer.Machines;

namespace Migrate.Cli.Commands;

/// <summary><c>vmmigrate ps</c>: the machines of this user, asked one by one; a socket that nobody answers is said to be dead.</summary>
internal static class PsCommand
{
    private sealed record Row(string Name, string Socket, MachineStatus? Status, string Problem);

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
                terminal.Write(["Name", "State", "Pid", "Handover", "Session", "Progress"], rows.Select(r => r.Status is { } s
                    ? (IReadOnlyList<string>)[r.Name, KebabCase.Of(s.State.ToString()), $"{s.Pid}", s.HandoverId, s.Session, string.Join(", ", s.Counters.Select(c => $"{c.Key} {c.Value}"))]
                    : [r.Name, "dead", "", "", "", r.Problem]));
            }
            return ExitCode.Yes;
        });
        return command;
    }

    private static Row Ask(string name)
    {
        var socket = StateDirectory.SocketOf(name);
        try
        {
            using var client = MachineClient.Connect(socket);
            return new Row(name, socket, client.Status(), "");
        }
        catch (MigrateException gone)
        {
            return new Row(name, socket, null, gone.Message);
        }
    }

    private static string Document(List<Row> rows)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("schema", "vmmigrate/machines/1");
            json.WriteStartArray("machines");
            foreach (var row in rows)
            {
                json.WriteStartObject();
                json.WriteString("name", row.Name);
                json.WriteString("socket", row.Socket);
                json.WriteString("state", row.Status is { } s ? KebabCase.Of(s.State.ToString()) : "dead");
                if (row.Status is { } status)
                {
                    json.WriteString("vmId", status.VmId);
                    json.WriteNumber("pid", status.Pid);
                    json.WriteString("handoverId", status.HandoverId);
                    json.WriteString("session", status.Session);
                    json.WriteStartObject("counters");
                    foreach (var (name, value) in status.Counters) json.WriteNumber(name, value);
                    json.WriteEndObject();
                }
                else json.WriteString("problem", row.Problem);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return System.Text.Encoding.UTF8.GetString(buffer.ToArray());
    }
}
