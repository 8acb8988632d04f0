using Migrate.Model.Plans;
using Migrate.Model.Registers;
using static Migrate.Tests.Preflight.Given;

namespace Migrate.Tests.Preflight.Baselines;

/// <summary>State that a new VM of a newer kernel has and an older kernel does not list: without these reliefs no baseline would serve both.</summary>
public class ReliefTests
{
    private static readonly RegisterId OsLock = RegisterId.System(2, 0, 1, 1, 4);
    private static readonly RegisterId Control = RegisterId.System(3, 3, 14, 2, 1);
    private static readonly RegisterId Compare = RegisterId.System(3, 3, 14, 2, 2);
    private static readonly RegisterId Count = RegisterId.System(3, 3, 14, 0, 1);

    [Theory]
    [InlineData(0UL, 0UL)]
    [InlineData(6UL, 0UL)]
    public void A_physical_timer_that_was_never_set_is_left_out(ulong control, ulong compare)
    {
        var plan = Plan(Machine(Host(Any(Control, control), Any(Compare, compare), Any(Count, 99))), Host());
        Assert.Empty(plan.Stopping());
        Assert.Equal(3, plan.Steps.OfType<LeaveOut>().Count());
        Assert.Equal("physical timer", plan.Only(FindingCode.LeftOut).Subject);
    }

    [Theory]
    [InlineData(1UL, 0UL)]
    [InlineData(0UL, 5UL)]
    public void A_physical_timer_that_is_on_or_was_set_is_lossy(ulong control, ulong compare)
    {
        var plan = Plan(Machine(Host(Any(Control, control), Any(Compare, compare), Any(Count, 99))), Host());
        Assert.Equal(Verdict.No, plan.Verdict);
        Assert.All(plan.Stopping(), f => Assert.Equal((FindingCode.RegisterUnknown, Severity.Lossy), (f.Code, f.Severity)));
    }

    [Fact]
    public void An_os_lock_that_is_not_held_is_left_out_where_it_is_not_listed()
    {
        var plan = Plan(Machine(Host(Any(OsLock, 8))), Host());
        Assert.Empty(plan.Stopping());
        plan.LeftOut(OsLock);
    }

    [Fact]
    public void An_os_lock_that_is_held_is_refused_where_it_is_not_listed() =>
        Assert.Equal(FindingCode.RegisterUnknown, Assert.Single(Plan(Machine(Host(Any(OsLock, 10))), Host()).Stopping()).Code);
}
