using Migrate.ProcessTests.Harness;
using Migrate.Transfer.Receive;
using Migrate.Transfer.Send;

namespace Migrate.ProcessTests.KillMatrix;

/// <summary>No agent answers: what the operator says is heard, survives a kill at every point, and overrides nothing that can be proven.</summary>
public sealed class UnknownKillTests : IDisposable
{
    private readonly TwoHosts _hosts = new();

    /// <summary>Points of a resolve with <c>--discard</c>, of a machine that runs at the destination.</summary>
    internal static IReadOnlyList<string> Discarding { get; } =
        ["source:discarded:before-record", "source:discarded:after-record", "source:discarding", "source:discarded"];

    public static TheoryData<string> DiscardPoints => [.. Discarding];

    public void Dispose() => _hosts.Dispose();

    [Fact]
    public void A_sender_killed_at_unknown_is_resolved_when_the_agent_answers_again()
    {
        using var machine = Unanswered("destination:running:before-record", killAt: "source:unknown");
        machine.AssertUnknown(machine.ResolveAlone());
        _hosts.StartAgent();
        machine.Resolve().Exited(0);
        machine.AssertRunsAt(Side.Destination);
        Assert.Null(machine.AtSource());
    }

    [Theory]
    [MemberData(nameof(DiscardPoints))]
    public void A_discard_killed_at_a_point_is_finished_by_the_next(string point)
    {
        using var machine = Unanswered("destination:running:before-record");
        machine.ResolveAlone(killAt: point, "--discard").Exited(Ended.Killed);
        machine.ResolveAlone(null, "--discard").Exited(0);
        Assert.Null(machine.AtSource());
        machine.AssertRunsAt(Side.Destination);
        _hosts.StartAgent();
        machine.Resolve().Exited(0);
        machine.AssertRunsAt(Side.Destination);
    }

    [Theory]
    [InlineData("source:returning")]
    [InlineData("source:kept:before-record")]
    [InlineData("source:kept:after-record")]
    public void A_run_here_killed_at_a_point_is_finished_by_the_next(string point)
    {
        using var machine = Unanswered("destination:starting:before-record");
        machine.ResolveAlone(killAt: point, "--run-here").Exited(Ended.Killed);
        machine.ResolveAlone(null, "--run-here").Exited(0);
        machine.AssertRunsAt(Side.Source);
        _hosts.StartAgent();
        machine.Send().Exited(0);
        machine.AssertRunsAt(Side.Destination);
    }

    [Fact]
    public void Run_here_is_not_heard_when_the_agent_says_that_it_runs_there()
    {
        using var machine = Unanswered("destination:running:before-record");
        _hosts.StartAgent();
        var resolved = machine.Resolve(null, "--run-here").Exited(0);
        Assert.Contains("runs at the destination", resolved.Out);
        machine.AssertRunsAt(Side.Destination);
        Assert.Null(machine.AtSource());
    }

    [Fact]
    public void Discard_is_not_heard_when_the_agent_says_that_it_never_runs_there()
    {
        using var machine = Unanswered("destination:starting:before-record");
        _hosts.StartAgent();
        machine.Resolve(null, "--discard").Exited(0);
        Assert.Equal(SourceMark.Kept, machine.Record.Mark);
        machine.AssertRunsAt(Side.Source);
    }

    /// <summary>An agent of another identity at the same address proves nothing: its never is not asked for.</summary>
    [Fact]
    public void Another_agent_at_the_same_address_proves_nothing()
    {
        using var machine = Unanswered("destination:running:before-record");
        File.Delete(Path.Combine(_hosts.Destination.State, "agent", "id"));
        _hosts.StartAgent();
        machine.AssertUnknown(machine.Resolve());
        machine.AssertRunsAt(Side.Destination);
    }

    [Theory]
    [InlineData("destination:running:before-record", Side.Destination)]
    [InlineData("destination:starting:after-record", Side.Source)]
    public void A_resolve_on_the_agents_host_finishes_what_can_be_finished_without_the_agent(string point, Side runner)
    {
        using var machine = Unanswered(point);
        _hosts.Destination.Run("resolve", machine.HandoverId).Exited(0);
        Assert.Equal(runner == Side.Destination ? DestinationMark.Running : DestinationMark.Never, _hosts.DestinationState.Destination.Find(machine.HandoverId)!.Mark);
        _hosts.StartAgent();
        machine.Resolve().Exited(0);
        machine.AssertRunsAt(runner);
    }

    /// <summary>The watch of all these tests must see two runners when there are two; only an operator who is wrong can make them.</summary>
    [Fact]
    public void The_watch_sees_what_an_operator_who_is_wrong_does()
    {
        var machine = Unanswered("destination:running:before-record");
        machine.ResolveAlone(null, "--run-here").Exited(0);
        Assert.Throws<Xunit.Sdk.FalseException>(() => machine.AssertRunsAt(Side.Source));
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(machine.Dispose);
    }

    /// <summary>A machine whose agent died after START, and whose sender gave up.</summary>
    private Moving Unanswered(string agentKilledAt, string? killAt = null)
    {
        _hosts.StartAgent(killAt: agentKilledAt);
        var machine = _hosts.StartMachine();
        var sent = machine.Send(killAt);
        if (killAt is null) machine.AssertUnknown(sent);
        else sent.Exited(Ended.Killed);
        _hosts.Agent.Wait().Exited(Ended.Killed);
        return machine;
    }
}
