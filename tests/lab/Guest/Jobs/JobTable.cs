namespace Migrate.LabGuest.Jobs;

/// <summary>Every job there is, in the order in which a host runs them.</summary>
public static class JobTable
{
    /// <summary>The table.</summary>
    public static IReadOnlyList<LabJob> All { get; } =
    [
        new("smoke", TimeSpan.FromSeconds(60), SmokeJob.Run),
        new("capture-restore", TimeSpan.FromMinutes(3), CaptureRestoreJob.Run),
        new("raw-answers", TimeSpan.FromMinutes(5), RawAnswersJob.Run, "captures/*.txt"),
        new("restore", TimeSpan.FromMinutes(5), RestoreJob.Run),
        new("probe", TimeSpan.FromSeconds(600), ProbeJob.Run),
    ];

    /// <summary>Every job for two hosts.</summary>
    public static IReadOnlyList<PairJob> Pairs { get; } =
    [
        new("reach", TimeSpan.FromSeconds(60), ReachJob.Destination, ReachJob.Source),
    ];

    /// <summary>The job, or half of a job for two, with this name; or null.</summary>
    public static LabJob? Find(string name) =>
        All.Concat(Pairs.SelectMany(pair => new[] { pair.DestinationHalf, pair.SourceHalf })).FirstOrDefault(job => job.Name == name);
}
