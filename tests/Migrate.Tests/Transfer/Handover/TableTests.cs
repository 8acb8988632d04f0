using Migrate.Model;
using Migrate.Model.Errors;
using Migrate.Transfer.Handover;
using Migrate.Transfer.Receive;
using Migrate.Transfer.Send;

namespace Migrate.Tests.Transfer.Handover;

public class TableTests
{
    [Fact]
    public void Every_pair_of_the_source_is_a_transition_or_a_refusal_that_names_both() => EveryPair(SourceHandover.Table, SourceHandover.IsEnd);

    [Fact]
    public void Every_pair_of_the_destination_is_a_transition_or_a_refusal_that_names_both() =>
        EveryPair(DestinationHandover.Table, DestinationHandover.IsEnd);

    [Fact]
    public void No_state_before_the_source_releases_can_reach_a_state_in_which_it_may_be_released_but_by_its_record()
    {
        var crossings = SourceHandover.Table.Rows.Where(r => !SourceHandover.MayBeReleased(r.From) && SourceHandover.MayBeReleased(r.To)).ToList();
        var only = Assert.Single(crossings);
        Assert.Equal(SourceMark.Releasing, only.Record);
    }

    [Fact]
    public void The_incoming_machine_is_started_only_under_a_record()
    {
        var starts = DestinationHandover.Table.Rows.Where(r => r.Then == DestinationAct.StartMachine).ToList();
        Assert.NotEmpty(starts);
        Assert.All(starts, r => Assert.Equal(DestinationMark.Starting, r.Record));
    }

    [Fact]
    public void Cancel_is_taken_until_the_release_is_recorded_and_refused_by_name_from_then_on()
    {
        foreach (var state in Enum.GetValues<SourceState>())
        {
            if (SourceHandover.Table.TryNext(state, SourceEvent.Cancel, out var row))
            {
                Assert.Equal(SourceState.Kept, row.To);
                Assert.False(SourceHandover.MayBeReleased(state));
            }
            else
            {
                Assert.Contains(SourceHandover.IsEnd(state) ? "over" : "too late", SourceHandover.Table.Refusal(state, SourceEvent.Cancel).Message);
            }
        }
    }

    [Fact]
    public void A_table_with_two_rows_for_a_pair_is_refused()
    {
        var rows = SourceHandover.Table.Rows.Append(SourceHandover.Table.Rows[0]);
        Assert.Throws<ArgumentException>(() => new TransitionTable<SourceState, SourceEvent, SourceMark, SourceAct>("source", rows, (_, _) => ""));
    }

    [Fact]
    public void Every_mark_restarts_somewhere_and_a_foreign_one_is_refused()
    {
        foreach (var mark in Enum.GetValues<SourceMark>()) Assert.True(Enum.IsDefined(SourceHandover.Restart(mark).State));
        foreach (var mark in Enum.GetValues<DestinationMark>()) Assert.True(Enum.IsDefined(DestinationHandover.Restart(mark).State));
        Assert.Equal(ErrorCode.Malformed, Assert.Throws<MigrateException>(() => SourceHandover.Restart((SourceMark)99)).Code);
        Assert.Equal(ErrorCode.Malformed, Assert.Throws<MigrateException>(() => DestinationHandover.Restart((DestinationMark)99)).Code);
    }

    [Fact]
    public void Points_have_one_name_each_and_cover_every_state_and_record()
    {
        Assert.Equal(HandoverPoints.All.Count, HandoverPoints.All.Distinct().Count());
        Assert.Equal(
            Enum.GetValues<SourceState>().Length + Enum.GetValues<DestinationState>().Length
            + 2 * (Enum.GetValues<SourceMark>().Length + Enum.GetValues<DestinationMark>().Length),
            HandoverPoints.All.Count);
        Assert.Contains("source:releasing:before-record", HandoverPoints.All);
        Assert.Contains("destination:starting:after-record", HandoverPoints.All);
        Assert.Contains("source:copying", HandoverPoints.All);
    }

    private static void EveryPair<TState, TEvent, TMark, TAct>(TransitionTable<TState, TEvent, TMark, TAct> table, Func<TState, bool> isEnd)
        where TState : struct, Enum
        where TEvent : struct, Enum
        where TMark : struct, Enum
        where TAct : struct, Enum
    {
        var (taken, refused) = (0, 0);
        foreach (var state in Enum.GetValues<TState>())
        {
            var leaves = false;
            foreach (var occurred in Enum.GetValues<TEvent>())
            {
                if (table.TryNext(state, occurred, out var row))
                {
                    taken++;
                    leaves |= !row.To.Equals(state);
                    continue;
                }
                refused++;
                var refusal = Assert.Throws<MigrateException>(() => table.Next(state, occurred));
                Assert.Equal(ErrorCode.WrongState, refusal.Code);
                Assert.Contains(KebabCase.Of(state.ToString()), refusal.Message);
                Assert.Contains(KebabCase.Of(occurred.ToString()), refusal.Message);
            }
            Assert.True(leaves || isEnd(state), $"{state} is no end and nothing leaves it");
        }
        Assert.Equal(table.Rows.Count, taken);
        Assert.True(refused > 0);
    }
}
