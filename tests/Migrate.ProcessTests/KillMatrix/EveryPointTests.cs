using Migrate.Transfer.Handover;

namespace Migrate.ProcessTests.KillMatrix;

/// <summary>The matrix has no hole.</summary>
public sealed class EveryPointTests
{
    [Fact]
    public void Every_point_of_both_tables_is_killed_in_a_case()
    {
        string[] cases =
        [
            .. SourceKillTests.Cases.Select(c => c.Point),
            .. UnknownKillTests.Discarding,
            "source:unknown",
            .. DestinationKillTests.Straight.Select(c => c.Point),
            .. DestinationKillTests.AfterTheSender.Select(c => c.Point),
            "destination:refused",
            "destination:unknown",
            "destination:recovering",
        ];
        Assert.Equal(HandoverPoints.All.Order(), cases.Order());
    }
}
