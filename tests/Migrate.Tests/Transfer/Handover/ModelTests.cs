using Migrate.Transfer.Receive;
using Migrate.Transfer.Send;
using DestinationRow = Migrate.Transfer.Handover.Transition<
    Migrate.Transfer.Receive.DestinationState, Migrate.Transfer.Receive.DestinationEvent,
    Migrate.Transfer.Receive.DestinationMark, Migrate.Transfer.Receive.DestinationAct>;
using SourceRow = Migrate.Transfer.Handover.Transition<
    Migrate.Transfer.Send.SourceState, Migrate.Transfer.Send.SourceEvent, Migrate.Transfer.Send.SourceMark, Migrate.Transfer.Send.SourceAct>;

namespace Migrate.Tests.Transfer.Handover;

/// <summary>Every world that the two tables can reach with messages lost and both sides killed at every point.</summary>
public class ModelTests
{
    [Fact]
    public void Never_two_runners_and_never_silently_none()
    {
        var exploration = Explore(SourceHandover.Table.Rows, DestinationHandover.Table.Rows);
        Assert.True(exploration.Problem is null, exploration.Problem);
        Assert.True(exploration.Worlds > 5_000, $"only {exploration.Worlds} worlds were reached: the model has gone to sleep");
        Assert.Equal(
            Enum.GetValues<SourceState>().Except([SourceState.Discarding, SourceState.Discarded]),
            exploration.SourceStates.Order());
        Assert.Equal(Enum.GetValues<DestinationState>().Order(), exploration.DestinationStates.Order());
    }

    [Fact]
    public void Without_bad_luck_the_machine_runs_there_and_only_there()
    {
        var model = new HandoverModel(SourceHandover.Table.Rows, DestinationHandover.Table.Rows);
        var world = World.Start;
        for (var steps = 0; steps < 200; steps++)
        {
            var next = model.Next(world).Where(s => !s.IsFault && s.World != world).Select(s => s.World).ToList();
            if (next.Count == 0) break;
            world = next[0];
        }
        Assert.Equal((SourceState.Done, DestinationState.Running), (world.Source, world.Destination));
        Assert.Equal((SourceMark.Done, DestinationMark.Running), (world.SourceRecord, world.DestinationRecord));
        Assert.True(world.RunsThere && world.Here == SourceMachine.Destroyed);
    }

    public static TheoryData<string> Mutants =>
    [
        "the destination starts before its record",
        "the source resumes without asking",
        "the source resumes when the time for asking is over",
        "the source resumes whatever the VMM says",
        "never is not recorded",
        "a start in flight is answered with never",
        "an unstarted machine is not what recovery takes for running",
        "the source destroys before the destination runs",
        "the source does not resume after never",
        "a session that is asked about goes on",
    ];

    [Theory]
    [MemberData(nameof(Mutants))]
    public void The_exploration_catches_a_table_in_which(string mutant)
    {
        IEnumerable<SourceRow> source = SourceHandover.Table.Rows;
        IEnumerable<DestinationRow> destination = DestinationHandover.Table.Rows;
        switch (mutant)
        {
            case "the destination starts before its record":
                destination = Change(destination, r => r.Record == DestinationMark.Starting, r => r with { Record = null });
                break;
            case "the source resumes without asking":
                source = Change(source, r => (r.From, r.On) == (SourceState.StartSent, SourceEvent.PeerLost), Resume);
                break;
            case "the source resumes when the time for asking is over":
                source = Change(source, r => (r.From, r.On) == (SourceState.Asking, SourceEvent.TimeIsOver), Resume);
                break;
            case "the source resumes whatever the VMM says":
                source = Change(source, r => (r.From, r.On) == (SourceState.Recovering, SourceEvent.FoundReleased), Resume);
                break;
            case "never is not recorded":
                destination = Change(destination, r => (r.From, r.On) == (DestinationState.Waiting, DestinationEvent.OutcomeAsked), r => r with { Record = null });
                break;
            case "a start in flight is answered with never":
                destination = Change(
                    destination,
                    r => (r.From, r.On) == (DestinationState.Starting, DestinationEvent.OutcomeAsked),
                    r => r with { To = DestinationState.Never, Then = DestinationAct.AnswerNever });
                break;
            case "an unstarted machine is not what recovery takes for running":
                destination = Change(
                    destination,
                    r => (r.From, r.On) == (DestinationState.Recovering, DestinationEvent.FoundNotStarted),
                    r => r with { To = DestinationState.Running, Record = DestinationMark.Running });
                break;
            case "the source destroys before the destination runs":
                source = Change(
                    source,
                    r => (r.From, r.On) == (SourceState.Released, SourceEvent.StartWritten),
                    r => r with { To = SourceState.RunningThere, Then = SourceAct.DestroyMachine });
                break;
            case "the source does not resume after never":
                source = Change(
                    source,
                    r => (r.From, r.On) == (SourceState.Asking, SourceEvent.OutcomeNever),
                    r => r with { To = SourceState.Kept, Record = SourceMark.Kept, Then = SourceAct.Nothing });
                break;
            case "a session that is asked about goes on":
                destination = Change(
                    destination,
                    r => (r.From, r.On) == (DestinationState.Applied, DestinationEvent.OutcomeAsked),
                    r => r with { To = DestinationState.Never, Then = DestinationAct.AnswerNever });
                break;
        }
        Assert.NotNull(Explore(source, destination).Problem);
    }

    private static SourceRow Resume(SourceRow row) => row with { To = SourceState.Returning, Record = null, Then = SourceAct.ResumeMachine };

    private static List<T> Change<T>(IEnumerable<T> rows, Func<T, bool> which, Func<T, T> how)
    {
        var all = rows.ToList();
        Assert.Contains(all, r => which(r));
        return [.. all.Select(r => which(r) ? how(r) : r)];
    }

    private sealed record Exploration(string? Problem, int Worlds, IReadOnlySet<SourceState> SourceStates, IReadOnlySet<DestinationState> DestinationStates);

    private static Exploration Explore(IEnumerable<SourceRow> source, IEnumerable<DestinationRow> destination)
    {
        var model = new HandoverModel(source, destination);
        var from = new Dictionary<World, World> { [World.Start] = World.Start };
        var before = new Dictionary<World, List<World>>();
        var open = new Queue<World>([World.Start]);
        string? problem = null;
        while (open.TryDequeue(out var world) && problem is null)
        {
            problem = Wrong(world) is { } wrong ? $"{wrong}\n{Story(from, world)}" : null;
            foreach (var (next, isFault) in model.Next(world))
            {
                if (from.TryAdd(next, world)) open.Enqueue(next);
                if (isFault) continue;
                if (!before.TryGetValue(next, out var list)) before[next] = list = [];
                list.Add(world);
            }
        }
        problem ??= Stuck(from, before);
        return new Exploration(
            problem,
            from.Count,
            from.Keys.Select(w => w.Source).ToHashSet(),
            from.Keys.Select(w => w.Destination).ToHashSet());
    }

    /// <summary>What must hold in every world.</summary>
    private static string? Wrong(World w)
    {
        if (w.RunsHere && w.RunsThere) return "two runners";
        if (w.Here == SourceMachine.Destroyed && w.There is not (DestinationMachine.Running or DestinationMachine.Gone)) return "the source is destroyed and nothing runs there";
        if (!w.SourceLives || w.SourcePhase != Phase.Idle) return null;
        if (w.Source == SourceState.Done && !w.RunsThere) return "done is reported and nothing runs there";
        if (w.Source == SourceState.Kept && !w.KeptHere) return "kept is reported and nothing runs here";
        return null;
    }

    /// <summary>From every world a runner, or the proof that the machine died while it was started, is reached without further bad luck.</summary>
    private static string? Stuck(Dictionary<World, World> from, Dictionary<World, List<World>> before)
    {
        var good = new HashSet<World>(from.Keys.Where(w => w.RunsHere || w.RunsThere || w is { There: DestinationMachine.Gone, DestinationRecord: DestinationMark.Starting }));
        var open = new Queue<World>(good);
        while (open.TryDequeue(out var world))
        {
            if (!before.TryGetValue(world, out var list)) continue;
            foreach (var earlier in list)
                if (good.Add(earlier)) open.Enqueue(earlier);
        }
        foreach (var world in from.Keys)
            if (!good.Contains(world)) return $"nothing runs and no resolve leads to a runner\n{Story(from, world)}";
        return null;
    }

    private static string Story(Dictionary<World, World> from, World world)
    {
        var lines = new List<string>();
        for (var at = world; ; at = from[at])
        {
            lines.Add(at.ToString());
            if (from[at] == at) break;
        }
        lines.Reverse();
        return string.Join('\n', lines);
    }
}
