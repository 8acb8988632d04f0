using System.Text.Json;
using Migrate.Model;
using Migrate.Transfer.Handover;
using Migrate.Transfer.Machines;

namespace Migrate.Cli.Output;

/// <summary>What a machine or an agent is doing, as JSON: a machine's members are the same alone (<c>status --json</c>) and in a list (<c>ps --json</c>).</summary>
internal static class StatusDocument
{
    /// <summary>One machine.</summary>
    public static string Of(MachineStatus status, string socket) => Write("vmmigrate/machine-status/1", json =>
    {
        json.WriteString("name", status.Name);
        json.WriteString("socket", socket);
        json.WriteString("state", KebabCase.Of(status.State.ToString()));
        Members(json, status);
    });

    /// <summary>One agent and the moves that it receives.</summary>
    public static string Of(AgentStatus status) => Write("vmmigrate/agent-status/1", json =>
    {
        json.WriteString("agentId", status.AgentId);
        json.WriteString("hostName", status.HostName);
        json.WriteNumber("pid", status.Pid);
        json.WriteStartArray("moves");
        foreach (var move in status.Moves)
        {
            json.WriteStartObject();
            json.WriteString("handoverId", move.HandoverId);
            json.WriteString("vmName", move.VmName);
            json.WriteString("peer", move.Peer);
            json.WriteString("state", KebabCase.Of(move.State.ToString()));
            json.WriteNumber("pages", move.Pages);
            json.WriteNumber("bytes", move.Bytes);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    });

    /// <summary>What a machine says of itself beyond its name and state.</summary>
    public static void Members(Utf8JsonWriter json, MachineStatus status)
    {
        json.WriteString("vmId", status.VmId);
        json.WriteNumber("pid", status.Pid);
        json.WriteString("handoverId", status.HandoverId);
        json.WriteString("session", status.Session);
        json.WriteString("note", status.Note);
        json.WriteStartObject("counters");
        foreach (var (name, value) in status.Counters) json.WriteNumber(name, value);
        json.WriteEndObject();
    }

    /// <summary>A document of its own.</summary>
    public static string Write(string schema, Action<Utf8JsonWriter> members)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("schema", schema);
            members(json);
            json.WriteEndObject();
        }
        return System.Text.Encoding.UTF8.GetString(buffer.ToArray());
    }
}
