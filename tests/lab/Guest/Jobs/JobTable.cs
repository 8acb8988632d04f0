namespace Migrate.LabGuest.Jobs;

/// <summary>Every job there is, in the order in which a host runs them.</summary>
public static class JobTable
{
    /// <summary>The table.</summary>
    public static IReadOnlyList<LabJob> All { get; } =
    [
        new("smoke", TimeSpan.FromSeconds(60), SmokeJob.Run),
        new("probe", TimeSpan.FromSeconds(600), ProbeJob.Run),
    ];

    /// <summary>The job with this name, or null.</summary>
    public static LabJob? Find(string name) => All.FirstOrDefault(job => job.Name == name);
}
