using System.Text.Json;
using Migrate.ProcessTests.Harness;
using Migrate.Transfer.Machines;

namespace Migrate.ProcessTests;

/// <summary>What the author of a VMM sees: verdict, names, exit codes, and a machine that runs on.</summary>
public sealed class ConformanceTests : IDisposable
{
    private readonly Vmmigrate _host = new();

    public void Dispose() => _host.Dispose();

    [Fact]
    public void A_machine_that_keeps_its_promises_exits_0_says_what_was_not_tried_and_runs_on()
    {
        _host.StartMachine("vm");
        var ended = _host.Run("conformance", "vm").Exited(0);
        Assert.StartsWith("YES: vm keeps all ", ended.FirstLine);
        Assert.Contains("destroy-released", ended.Out);
        Assert.Contains("--destroy", ended.Out.TrimEnd().Split('\n')[^1]);
        Assert.Equal("", ended.Error);
        Assert.True(Watch.Executes(Assert.Single(_host.Ask())));
    }

    [Fact]
    public void Both_sides_are_tried_to_their_ends_and_told_as_one_document()
    {
        var machine = _host.StartMachine("vm");
        var place = _host.StartMachine("place", null, "--incoming");
        var ended = _host.Run("conformance", "vm", "--incoming", Path.Combine(_host.Machines, "place.sock"), "--destroy", "--json").Exited(0);
        using var document = JsonDocument.Parse(ended.Out);
        var root = document.RootElement;
        Assert.Equal(("vmmigrate/conformance/1", "vm", true), (root.GetProperty("schema").GetString(), root.GetProperty("machine").GetString(), root.GetProperty("keeps").GetBoolean()));
        var left = root.GetProperty("promises").EnumerateArray().Where(p => p.GetProperty("outcome").GetString() != "kept").Select(p => p.GetProperty("name").GetString());
        Assert.Equal(["request-time"], left);
        machine.Wait().Exited(0);
        place.Wait().Exited(0);
    }

    [Fact]
    public void One_promise_can_be_tried_alone_and_a_name_that_is_none_is_usage()
    {
        _host.StartMachine("vm");
        Assert.StartsWith("YES: vm keeps all 1 ", _host.Run("conformance", "vm", "--only", "one-session").Exited(0).FirstLine);
        Assert.StartsWith("UNPROVEN", _host.Run("conformance", "vm", "--only", "start-once").Exited(6).FirstLine);
        Assert.Contains("to-be-good", _host.Run("conformance", "vm", "--only", "to-be-good").Exited(2).Error);
    }

    [Fact]
    public void The_list_needs_no_machine_and_everything_else_does()
    {
        Assert.Contains("one-session", _host.Run("conformance", "--list").Exited(0).Out);
        using var listed = JsonDocument.Parse(_host.Run("conformance", "--list", "--json").Exited(0).Out);
        Assert.Contains(listed.RootElement.GetProperty("promises").EnumerateArray(), p => p.GetProperty("name").GetString() == "one-session");
        _host.Run("conformance").Exited(2);
        _host.Run("conformance", "nobody").Exited(2);
        _host.Run("conformance", Path.Combine(_host.State, "nobody.sock")).Exited(3);
    }

    [Fact]
    public void A_machine_in_a_session_is_left_to_its_holder()
    {
        _host.StartMachine("vm");
        using var client = MachineClient.Connect(Path.Combine(_host.Machines, "vm.sock"));
        using var session = client.OpenSource();
        Assert.Contains("held by", _host.Run("conformance", "vm").Exited(1).Error);
    }
}
