using System.Text.Json;
using Migrate.ProcessTests.Harness;

namespace Migrate.ProcessTests.KillMatrix;

/// <summary>The process that owns the VM dies, on either side, in each phase of a move.</summary>
public sealed class VmmKillTests : IDisposable
{
    private readonly TwoHosts _hosts = new();

    public void Dispose() => _hosts.Dispose();

    [Theory]
    [InlineData("machine:logging")]
    [InlineData("machine:quiesced")]
    public void A_source_VMM_that_dies_before_the_release_ends_the_move_and_nobody_says_that_it_runs(string state)
    {
        _hosts.StartAgent();
        using var machine = _hosts.StartMachine(killAt: state);
        AssertFailedWithoutSource(machine.Send(null, "--json"));
        machine.AssertRunsAt(Side.Nowhere);
        AssertServes();
    }

    [Fact]
    public void A_source_VMM_killed_while_its_pages_are_copied_ends_the_move()
    {
        _hosts.StartAgent();
        using var machine = _hosts.StartMachine();
        var send = machine.StartSend(null, "--json", "--bandwidth", "1M");
        send.WaitForOutput("\"verdict\"");
        machine.Vmm.Kill();
        AssertFailedWithoutSource(send.Wait());
        machine.AssertRunsAt(Side.Nowhere);
        AssertServes();
    }

    /// <summary>Only this row of the matrix loses the machine: its memory was in the process that died.</summary>
    [Fact]
    public void A_source_VMM_that_dies_as_it_is_released_is_an_unknown_outcome_that_only_discard_ends()
    {
        _hosts.StartAgent();
        using var machine = _hosts.StartMachine(killAt: "machine:released");
        machine.AssertUnknown(machine.Send());
        machine.AssertRunsAt(Side.Nowhere);
        machine.AssertUnknown(machine.Resolve(null, "--run-here"));
        machine.Resolve(null, "--discard").Exited(0);
        machine.Resolve().Exited(0);
        machine.AssertRunsAt(Side.Nowhere);
    }

    [Fact]
    public void A_source_VMM_that_dies_as_it_runs_again_is_an_unknown_outcome()
    {
        _hosts.StartAgent();
        using var machine = _hosts.StartMachine(killAt: "machine:running");
        machine.Send(killAt: "source:released").Exited(Ended.Killed);
        machine.AssertUnknown(machine.Resolve());
        machine.AssertRunsAt(Side.Nowhere);
        machine.Resolve(null, "--discard").Exited(0);
    }

    [Fact]
    public void A_source_VMM_that_dies_as_it_is_destroyed_ends_a_move_that_is_done()
    {
        _hosts.StartAgent();
        using var machine = _hosts.StartMachine(killAt: "machine:destroyed");
        machine.Send().Exited(0);
        machine.AssertRunsAt(Side.Destination);
    }

    [Theory]
    [InlineData("machine:prepared")]
    [InlineData("machine:applied")]
    public void A_destination_VMM_that_dies_before_START_leaves_the_source_running_and_the_agent_serving(string state)
    {
        _hosts.StartAgent(killAt: state);
        using var machine = _hosts.StartMachine();
        var sent = machine.Send().Exited(4);
        Assert.DoesNotContain("vmmigrate resolve", sent.Error);
        machine.AssertRunsAt(Side.Source);
        Assert.False(_hosts.Agent.HasExited);
    }

    [Fact]
    public void A_destination_VMM_that_dies_between_the_record_of_START_and_its_answer_is_unknown_and_run_here_is_heard()
    {
        _hosts.StartAgent(killAt: "machine:running");
        using var machine = _hosts.StartMachine();
        machine.AssertUnknown(machine.Send());
        machine.AssertUnknown(machine.Resolve());
        machine.Resolve(null, "--run-here").Exited(0);
        machine.AssertRunsAt(Side.Source);
        Assert.False(_hosts.Agent.HasExited);
    }

    [Fact]
    public void A_destination_VMM_that_dies_between_the_record_of_START_and_its_answer_is_unknown_and_discard_is_heard()
    {
        _hosts.StartAgent(killAt: "machine:running");
        using var machine = _hosts.StartMachine();
        machine.AssertUnknown(machine.Send());
        machine.Resolve(null, "--discard").Exited(0);
        machine.AssertRunsAt(Side.Nowhere);
        Assert.Null(machine.AtSource());
    }

    /// <summary>It ran there and was recorded; what becomes of it later is not the handover's.</summary>
    [Fact]
    public void A_destination_VMM_that_dies_after_RUNNING_never_lets_the_source_run_again()
    {
        _hosts.StartAgent();
        using var machine = _hosts.StartMachine();
        machine.Send(killAt: "source:running-there:before-record").Exited(Ended.Killed);
        machine.AssertRunsAt(Side.Destination);
        machine.KillDestinationVmm();
        machine.Resolve(null, "--run-here").Exited(0);
        Assert.Null(machine.AtSource());
        machine.AssertRunsAt(Side.Nowhere);
    }

    private static void AssertFailedWithoutSource(Ended sent)
    {
        sent.Exited(4);
        using var error = JsonDocument.Parse(sent.Out.TrimEnd().Split('\n')[^1]);
        Assert.Equal("vmmigrate/error/1", error.RootElement.GetProperty("schema").GetString());
        Assert.False(error.RootElement.TryGetProperty("sourceRuns", out var runs) && runs.GetBoolean(), sent.Out);
    }

    private void AssertServes()
    {
        using var another = _hosts.StartMachine();
        another.Send().Exited(0);
        another.AssertRunsAt(Side.Destination);
    }
}
