using Migrate.ProcessTests.Harness;

namespace Migrate.ProcessTests.KillMatrix;

/// <summary>The sender, or a resolve, is killed at every point of the source's table. One agent serves all of these: none of them may end it.</summary>
public sealed class SourceKillTests(SourceKillTests.Hosts hosts) : IClassFixture<SourceKillTests.Hosts>
{
    /// <summary>How a point is reached.</summary>
    internal enum Route
    {
        /// <summary>A move that nothing disturbs.</summary>
        Straight,

        /// <summary>A move that the destination refuses.</summary>
        Refused,

        /// <summary>The sender was killed once the machine was released; a resolve takes the handover up.</summary>
        Resolved,
    }

    /// <summary>Point, how it is reached, who runs the machine in the end.</summary>
    internal static IReadOnlyList<(string Point, Route Route, Side Runner)> Cases { get; } =
    [
        ("source:connecting", Route.Straight, Side.Source),
        ("source:begun:before-record", Route.Straight, Side.Source),
        ("source:begun:after-record", Route.Straight, Side.Source),
        ("source:preparing", Route.Straight, Side.Source),
        ("source:copying", Route.Straight, Side.Source),
        ("source:stopping", Route.Straight, Side.Source),
        ("source:awaiting-applied", Route.Straight, Side.Source),
        ("source:releasing:before-record", Route.Straight, Side.Source),
        ("source:releasing:after-record", Route.Straight, Side.Source),
        ("source:releasing", Route.Straight, Side.Source),
        ("source:released", Route.Straight, Side.Source),
        // START is in the kernel's hands: it may or may not arrive.
        ("source:start-sent", Route.Straight, Side.Either),
        ("source:running-there:before-record", Route.Straight, Side.Destination),
        ("source:running-there:after-record", Route.Straight, Side.Destination),
        ("source:running-there", Route.Straight, Side.Destination),
        ("source:done:before-record", Route.Straight, Side.Destination),
        ("source:done:after-record", Route.Straight, Side.Destination),
        ("source:done", Route.Straight, Side.Destination),
        ("source:kept:before-record", Route.Refused, Side.Source),
        ("source:kept:after-record", Route.Refused, Side.Source),
        ("source:kept", Route.Refused, Side.Source),
        ("source:recovering", Route.Resolved, Side.Source),
        ("source:asking", Route.Resolved, Side.Source),
        ("source:returning", Route.Resolved, Side.Source),
    ];

    public static TheoryData<string> Points => [.. Cases.Select(c => c.Point)];

    [Theory]
    [MemberData(nameof(Points))]
    public void A_sender_killed_at_a_point_leaves_one_runner_and_a_resolve_settles_the_rest(string point)
    {
        var (_, route, runner) = Cases.Single(c => c.Point == point);
        using var machine = route == Route.Refused ? hosts.Two.StartRefusedMachine() : hosts.Two.StartMachine();

        machine.Send(killAt: route == Route.Resolved ? "source:released" : point).Exited(Ended.Killed);
        if (route == Route.Resolved) machine.Resolve(killAt: point).Exited(Ended.Killed);

        // Nobody had promised it to anybody before the first record: it runs on, and there is nothing to resolve.
        if (machine.HasRecord) machine.Resolve().Exited(0);
        else Assert.Contains(point, new[] { "source:connecting", "source:begun:before-record" });
        var at = machine.AssertRunsAt(runner);
        if (at == Side.Destination) Assert.Null(machine.AtSource());
        Assert.False(hosts.Two.Agent.HasExited);
    }

    /// <summary>Both hosts of all cases.</summary>
    public sealed class Hosts : IDisposable
    {
        public Hosts() => Two.StartAgent();

        internal TwoHosts Two { get; } = new();

        public void Dispose() => Two.Dispose();
    }
}
