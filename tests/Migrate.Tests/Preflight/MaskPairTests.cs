using Migrate.Model;
using Migrate.Model.Hosts;
using Migrate.Model.Plans;
using Migrate.Model.Registers;
using Migrate.Preflight;
using static Migrate.Tests.Preflight.Given;

namespace Migrate.Tests.Preflight;

/// <summary>The set and the clear register of a mask are one: what the last write leaves is what both read.</summary>
public class MaskPairTests
{
    private const ulong Own = 0x8000_001e;

    private static readonly RegisterId CountersSet = RegisterId.System(3, 3, 9, 12, 1);
    private static readonly RegisterId CountersClear = RegisterId.System(3, 3, 9, 12, 2);
    private static readonly RegisterId OverflowClear = RegisterId.System(3, 3, 9, 12, 3);
    private static readonly RegisterId OverflowSet = RegisterId.System(3, 3, 9, 14, 3);

    /// <summary>As a probe measures a kernel on which writes do what a guest's would: 6.12.</summary>
    private static readonly HostProfile Acting = Host(Sets(CountersSet), Clears(CountersClear), Clears(OverflowClear), Sets(OverflowSet));

    /// <summary>A kernel that stores what is written through either.</summary>
    private static readonly HostProfile Storing = Host(Any(CountersSet, Own), Any(CountersClear, Own), Any(OverflowClear, Own), Any(OverflowSet, Own));

    [Fact]
    public void Set_then_clear_leaves_nothing_and_clear_then_set_leaves_the_mask()
    {
        var atEnd = AtEnd(Acting);
        Assert.Equal(0UL, atEnd[CountersSet]);
        Assert.Equal(0UL, atEnd[CountersClear]);
        Assert.Equal(Own, atEnd[OverflowClear]);
        Assert.Equal(Own, atEnd[OverflowSet]);
    }

    [Fact]
    public void Where_either_is_stored_both_read_the_mask() => Assert.All(AtEnd(Storing).Values, mask => Assert.Equal(Own, mask));

    [Fact]
    public void Strict_says_of_both_halves_that_the_mask_is_lost_and_of_a_mask_that_is_set_last_that_it_is_not()
    {
        var plan = Plan(Machine(Acting), Acting, Policy.Strict);
        Assert.Equal([0UL, 0UL, Own, Own], new[] { CountersSet, CountersClear, OverflowClear, OverflowSet }.Select(id => plan.Write(id).ReadsBack!.Value.Low));
        Assert.Equal([CountersSet, CountersClear], plan.Stopping().Select(f => f.Register!.Value).Order());
        Assert.Equal(Verdict.Yes, Plan(Machine(Storing), Storing, Policy.Strict).Verdict);
    }

    private static Dictionary<RegisterId, ulong> AtEnd(HostProfile host) =>
        CapturedAnswers.Of(Machine(host), new ShapeIndex(host.Shapes[0]))
            .Where(a => a.Register.Id == CountersSet || a.Register.Id == CountersClear || a.Register.Id == OverflowClear || a.Register.Id == OverflowSet)
            .ToDictionary(a => a.Register.Id, a => a.AtEnd!.Value.Low);

    private static RegisterAcceptance Sets(RegisterId id) => Any(id, Own) with { Stored = new StoredAs { Keep = 0x21, Set = Own } };

    private static RegisterAcceptance Clears(RegisterId id) => Any(id, Own) with
    {
        Stored = new StoredAs { Keep = 0, Fields = new[] { 1, 2, 3, 4, 31 }.Select(bit => new StoredField(bit, 1, 0, 1)).ToEquatableArray() },
    };
}
