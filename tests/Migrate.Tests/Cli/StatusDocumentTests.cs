using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Migrate.Cli.Output;
using Migrate.Transfer.Handover;
using Migrate.Transfer.Machines;
using Migrate.Transfer.Receive;

namespace Migrate.Tests.Cli;

/// <summary>What is printed about a machine or an agent has the members that schemas/README.md names.</summary>
public class StatusDocumentTests
{
    [Fact]
    public void A_machine_is_printed_as_the_page_says() => Is(StatusDocument.Of(
        new MachineStatus { Name = "web1", Pid = 1, State = LifecycleState.Running, Counters = [new("exits", ulong.MaxValue)] }, "/run/web1.sock"));

    [Fact]
    public void An_agent_is_printed_as_the_page_says() => Is(StatusDocument.Of(
        new AgentStatus { AgentId = "a", HostName = "h", Pid = 1, Moves = [new AgentMove("id", "web1", "peer", DestinationState.Receiving, 1, ulong.MaxValue)] }));

    private static void Is(string document)
    {
        var root = JsonNode.Parse(document)!.AsObject();
        var row = File.ReadAllLines(Path.Combine(Repository.Root, "schemas", "README.md")).Single(l => l.StartsWith($"| `{root["schema"]}` |", StringComparison.Ordinal));
        var named = Regex.Matches(row.Split('|')[3], "`([A-Za-z]+)`").Select(m => m.Groups[1].Value);
        Assert.Equal(named, root.Skip(1).SelectMany(member => member.Value is JsonArray { Count: > 0 } list ? list[0]!.AsObject().Select(m => m.Key).Prepend(member.Key) : [member.Key]));
    }
}
