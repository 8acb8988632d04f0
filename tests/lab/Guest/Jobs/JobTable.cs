namespace Migrate.LabGuest.Jobs;

/// <summary>Every job there is, in the order in which a host runs them.</summary>
public static class JobTable
{
    /// <summary>The table.</summary>
    public static IReadOnlyList<LabJob> All { get; } =
    [
        new("smoke", TimeSpan.FromMinutes(2), SmokeJob.Run),
        new("raw-answers", TimeSpan.FromMinutes(10), RawAnswersJob.Run, ["captures/*.txt"]),
        new("probe", TimeSpan.FromMinutes(10), ProbeJob.Run),
        new("restore", TimeSpan.FromMinutes(10), RestoreJob.Run),
        new("vm-state", TimeSpan.FromMinutes(10), VmStateJob.Run),
        new("command-line", TimeSpan.FromMinutes(10), CommandLineJob.Run),
        new("dry-run", TimeSpan.FromMinutes(15), DryRunJob.Run),
        new("baseline", TimeSpan.FromMinutes(10), BaselineJob.Run, [LabBaseline.Reports, "lab/*/probe.profile"]),
        new("baseline-restore", TimeSpan.FromMinutes(15), BaselineRestoreJob.Run, [LabBaseline.Reports, "lab/*/probe.profile", LabBaseline.States]),
        new("states", TimeSpan.FromMinutes(5), StatesJob.Run),
        new("confusion", TimeSpan.FromMinutes(15), ConfusionJob.Run, ["lab/*/*.state", "lab/*/probe.profile"]),
        new("throttle", TimeSpan.FromMinutes(10), ThrottleJob.Run),
        new("kicks", TimeSpan.FromMinutes(15), KicksJob.Run) { OnRequest = true },
        new("confusion-foreign", TimeSpan.FromMinutes(30), ConfusionJob.RunForeign, ["lab/*/*.state", "lab/*/probe.profile"]) { OnRequest = true },
        new("linux", TimeSpan.FromMinutes(15), LinuxJob.Run) { OnRequest = true, NeedsLinux = true },
        new("conformance", TimeSpan.FromMinutes(15), ConformanceJob.Run) { OnRequest = true },
        KillsJob.Of("Vmm"),
        KillsJob.Of("Destination"),
        KillsJob.Of("Unknown"),
        KillsJob.Of("Source"),
    ];

    /// <summary>Every job for two hosts.</summary>
    public static IReadOnlyList<PairJob> Pairs { get; } =
    [
        new("reach", TimeSpan.FromMinutes(2), ReachJob.Destination, ReachJob.Source),
        new("move", TimeSpan.FromMinutes(15), MoveJob.Destination, MoveJob.Source),
        new("qemu", TimeSpan.FromMinutes(4), QemuJob.Destination, QemuJob.Source) { OnRequest = true, NeedsQemu = true },
        new("linux-move", TimeSpan.FromMinutes(25), LinuxMoveJob.Destination, LinuxMoveJob.Source) { OnRequest = true, NeedsLinux = true },
    ];

    /// <summary>The job, or half of a job for two, with this name; or null.</summary>
    public static LabJob? Find(string name) =>
        All.Concat(Pairs.SelectMany(pair => new[] { pair.DestinationHalf, pair.SourceHalf })).FirstOrDefault(job => job.Name == name);
}
