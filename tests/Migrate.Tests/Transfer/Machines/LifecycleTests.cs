using Migrate.Model.Errors;
using Migrate.Transfer.Machines;
using Migrate.Transfer.Wire;

namespace Migrate.Tests.Transfer.Machines;

public class LifecycleTests
{
    /// <summary>Everything that may make a vCPU run, and from where; written down a second time on purpose.</summary>
    private static readonly (FrameKind Request, LifecycleState From)[] Runs =
    [
        (FrameKind.Resume, LifecycleState.Paused),
        (FrameKind.Unquiesce, LifecycleState.Quiesced),
        (FrameKind.ResumeReleased, LifecycleState.Released),
        (FrameKind.StartMachine, LifecycleState.Applied),
    ];

    [Fact]
    public void Nothing_but_four_requests_makes_a_stopped_machine_run()
    {
        LifecycleState[] stopped = [LifecycleState.Incoming, LifecycleState.Prepared, LifecycleState.Applied, LifecycleState.Paused, LifecycleState.Quiesced, LifecycleState.Released, LifecycleState.Destroyed];
        foreach (var line in Lifecycle.Table)
            foreach (var from in line.From.Intersect(stopped))
            {
                var runs = line.To == LifecycleState.Running || (from == LifecycleState.Quiesced && line.To == LifecycleState.Logging);
                Assert.Equal(Runs.Contains((line.Request, from)), runs);
            }
    }

    [Fact]
    public void A_released_machine_leaves_its_state_by_two_requests_that_carry_an_id_and_by_no_loss()
    {
        var leaving = Lifecycle.Table.Where(l => l.From.Contains(LifecycleState.Released) && l.To is { } to && to != LifecycleState.Released).Select(l => l.Request);
        Assert.Equal([FrameKind.ResumeReleased, FrameKind.Destroy], leaving);
        foreach (var wasRunning in new[] { true, false }) Assert.Equal(LifecycleState.Released, Lifecycle.AfterLoss(LifecycleState.Released, wasRunning));
    }

    [Fact]
    public void A_loss_before_release_runs_what_ran_and_after_it_nothing()
    {
        foreach (var state in Enum.GetValues<LifecycleState>())
        {
            var expected = state switch
            {
                LifecycleState.Logging or LifecycleState.Quiesced => LifecycleState.Running,
                LifecycleState.Prepared or LifecycleState.Applied => LifecycleState.Incoming,
                _ => state,
            };
            Assert.Equal(expected, Lifecycle.AfterLoss(state, wasRunning: true));
        }
        Assert.Equal(LifecycleState.Paused, Lifecycle.AfterLoss(LifecycleState.Quiesced, wasRunning: false));
    }

    [Fact]
    public void Each_request_in_each_state_is_judged_as_the_table_says()
    {
        var allowed = 0;
        foreach (var request in Lifecycle.Table.Select(l => l.Request).Distinct())
            foreach (var state in Enum.GetValues<LifecycleState>())
                foreach (var (isHolder, holder) in new[] { (false, null), (false, "somebody"), (true, "somebody") })
                {
                    var lines = Lifecycle.Table.Where(l => l.Request == request && l.From.Contains(state)).ToList();
                    Assert.InRange(lines.Count, 0, 1);
                    var expected = lines.Count == 1 && lines[0].Who switch
                    {
                        Caller.Anyone => true,
                        Caller.Unheld => holder is null,
                        _ => isHolder,
                    };
                    if (expected)
                    {
                        Assert.Equal(lines[0], Lifecycle.Judge(request, state, "m", isHolder, holder));
                        allowed++;
                        continue;
                    }
                    var error = Assert.Throws<MigrateException>(() => Lifecycle.Judge(request, state, "m", isHolder, holder));
                    Assert.True(error.Code is ErrorCode.Busy or ErrorCode.WrongState);
                }
        Assert.True(allowed > 50);
    }

    [Fact]
    public void What_is_no_request_is_refused() =>
        Assert.Equal(ErrorCode.Protocol, Assert.Throws<MigrateException>(() => Lifecycle.Judge(FrameKind.Answers, LifecycleState.Running, "m", true, "m")).Code);

    [Fact]
    public void Every_state_and_request_stands_in_the_document()
    {
        var text = File.ReadAllText(Path.Combine(Repository.Root, "schemas", "machine-socket.md"));
        foreach (var state in Enum.GetValues<LifecycleState>()) Assert.Contains($"| {Lifecycle.Name(state)} |", text);
        foreach (var line in Lifecycle.Table)
        {
            var who = line.Who switch { Caller.Anyone => "anyone", Caller.Unheld => "anyone while no session is open", _ => "the session" };
            var from = line.From.Length == Enum.GetValues<LifecycleState>().Length ? "any" : string.Join(", ", line.From.Select(Lifecycle.Name));
            Assert.Contains($"| {FrameTable.Of(line.Request).Name} | {who} | {from} | {(line.To is { } to ? Lifecycle.Name(to) : "stays")} |", text);
        }
    }
}
