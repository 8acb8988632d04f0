using Migrate.ProcessTests.Harness;
using Migrate.Transfer.Send;

namespace Migrate.ProcessTests.KillMatrix;

/// <summary>The agent is killed at every point of the destination's table, and started again on its state directory and port.</summary>
public sealed class DestinationKillTests : IDisposable
{
    private readonly TwoHosts _hosts = new();

    /// <summary>Points of a move that nothing else disturbs: point, what the sender exits with while no agent answers, who runs the machine in the end.</summary>
    internal static IReadOnlyList<(string Point, int Exit, Side Runner)> Straight { get; } =
    [
        ("destination:waiting", 4, Side.Source),
        ("destination:planning", 4, Side.Source),
        ("destination:preparing", 4, Side.Source),
        ("destination:receiving", 4, Side.Source),
        ("destination:applying", 4, Side.Source),
        ("destination:applied", 4, Side.Source),
        ("destination:starting:before-record", 5, Side.Source),
        ("destination:starting:after-record", 5, Side.Source),
        ("destination:starting", 5, Side.Source),
        ("destination:running:before-record", 5, Side.Destination),
        ("destination:running:after-record", 5, Side.Destination),
        ("destination:running", 5, Side.Destination),
    ];

    /// <summary>Points that follow on the death of a sender, with the point at which that dies.</summary>
    internal static IReadOnlyList<(string Point, string Sender)> AfterTheSender { get; } =
    [
        ("destination:ended", "source:begun:before-record"),
        ("destination:never:before-record", "source:copying"),
        ("destination:never:after-record", "source:copying"),
        ("destination:never", "source:copying"),
    ];

    public static TheoryData<string> StraightPoints => [.. Straight.Select(c => c.Point)];

    public static TheoryData<string> PointsAfterTheSender => [.. AfterTheSender.Select(c => c.Point)];

    public void Dispose() => _hosts.Dispose();

    [Theory]
    [MemberData(nameof(StraightPoints))]
    public void An_agent_killed_at_a_point_leaves_one_runner_and_goes_on_when_it_is_started_again(string point)
    {
        var (_, exit, runner) = Straight.Single(c => c.Point == point);
        _hosts.StartAgent(killAt: point);
        using var machine = _hosts.StartMachine();

        var sent = machine.Send();
        _hosts.Agent.Wait().Exited(Ended.Killed);
        if (exit == 5)
        {
            machine.AssertUnknown(sent);
            machine.AssertUnknown(machine.ResolveAlone());
            if (runner == Side.Destination) machine.AssertRunsAt(Side.Destination);
            else machine.AssertRunsAt(Side.Nowhere);
        }
        else
        {
            sent.Exited(exit);
            Assert.DoesNotContain("vmmigrate resolve", sent.Error);
            machine.AssertRunsAt(Side.Source);
        }

        _hosts.StartAgent();
        if (exit == 5) machine.Resolve().Exited(0);
        machine.AssertRunsAt(runner);
        AssertServes(machine, runner);
    }

    [Theory]
    [MemberData(nameof(PointsAfterTheSender))]
    public void An_agent_killed_while_it_settles_what_a_dead_sender_left_leaves_the_source_running(string point)
    {
        _hosts.StartAgent(killAt: point);
        using var machine = _hosts.StartMachine();
        machine.Send(killAt: AfterTheSender.Single(c => c.Point == point).Sender).Exited(Ended.Killed);
        _hosts.Agent.Wait().Exited(Ended.Killed);
        machine.AssertRunsAt(Side.Source);

        _hosts.StartAgent();
        if (machine.HasRecord)
        {
            machine.Resolve().Exited(0);
            machine.AssertNeverAtDestination();
        }
        machine.AssertRunsAt(Side.Source);
        AssertServes(machine, Side.Source);
    }

    [Fact]
    public void An_agent_killed_as_it_refuses_leaves_the_source_running()
    {
        _hosts.StartAgent(killAt: "destination:refused");
        using var machine = _hosts.StartRefusedMachine();
        machine.Send().Exited(4);
        _hosts.Agent.Wait().Exited(Ended.Killed);
        _hosts.StartAgent();
        machine.Send().Exited(1);
        machine.AssertRunsAt(Side.Source);
    }

    /// <summary>START was recorded, then agent and VMM died: only the operator can tell.</summary>
    [Fact]
    public void An_agent_killed_at_unknown_answers_unknown_when_it_is_started_again_and_the_operator_decides()
    {
        _hosts.StartAgent(killAt: "destination:starting:after-record");
        using var machine = _hosts.StartMachine();
        machine.AssertUnknown(machine.Send());
        Processes.Kill(_hosts.DestinationState.Destination.Find(machine.HandoverId)!.MachinePid);
        // It takes its record up as soon as it starts.
        _hosts.RunAgent(killAt: "destination:unknown").Exited(Ended.Killed);

        _hosts.StartAgent();
        machine.AssertUnknown(machine.Resolve());
        machine.AssertRunsAt(Side.Nowhere);
        machine.Resolve(null, "--run-here").Exited(0);
        machine.AssertRunsAt(Side.Source);
        AssertServes(machine, Side.Source);
    }

    /// <summary>The VMM dies as it begins to run and the agent as it notices: the record says START, and nobody knows more.</summary>
    [Fact]
    public void An_agent_killed_at_recovering_answers_unknown_when_it_is_started_again_and_the_operator_decides()
    {
        _hosts.StartAgent(killAt: "destination:recovering,machine:running");
        using var machine = _hosts.StartMachine();
        machine.AssertUnknown(machine.Send());
        _hosts.Agent.Wait().Exited(Ended.Killed);

        _hosts.StartAgent();
        machine.AssertUnknown(machine.Resolve());
        machine.Resolve(null, "--run-here").Exited(0);
        machine.AssertRunsAt(Side.Source);
        AssertServes(machine, Side.Source);
    }

    [Theory]
    [InlineData("destination:starting:before-record", 4, Side.Source)]
    [InlineData("destination:starting:after-record", 4, Side.Source)]
    [InlineData("destination:running:before-record", 0, Side.Destination)]
    [InlineData("destination:running", 0, Side.Destination)]
    public void An_agent_that_is_started_again_while_the_sender_asks_answers_it(string point, int exit, Side runner)
    {
        _hosts.StartAgent(killAt: point);
        using var machine = _hosts.StartMachine();
        var send = machine.StartSend(null, "--outcome-timeout", Hosting.Enough(50_000));
        send.WaitFor("asking the agent");
        _hosts.StartAgent();
        send.Wait().Exited(exit);
        machine.AssertRunsAt(runner);
        Assert.Equal(runner == Side.Source ? SourceMark.Kept : SourceMark.Done, machine.Record.Mark);
    }

    /// <summary>The machine that stayed moves now; where it moved, another one follows.</summary>
    private void AssertServes(Moving machine, Side at)
    {
        if (at == Side.Source)
        {
            machine.Send().Exited(0);
            machine.AssertRunsAt(Side.Destination);
            return;
        }
        using var another = _hosts.StartMachine();
        another.Send().Exited(0);
        another.AssertRunsAt(Side.Destination);
        machine.AssertRunsAt(Side.Destination);
    }
}
