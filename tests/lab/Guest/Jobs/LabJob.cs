namespace Migrate.LabGuest.Jobs;

/// <summary>Something to do on a host.</summary>
/// <param name="Name">What `--jobs` calls it.</param>
/// <param name="Limit">How long it may take on an emulated host before the host counts as dead.</param>
/// <param name="Run">The job; reports cases and answers to the context.</param>
/// <param name="Inputs">
/// Files below tests/Data that are sent along, as patterns of which each folder may hold a *: <c>captures/*.txt</c>, <c>lab/*/*.state</c>; null: none.
/// A file is called by its path from the first folder with a * on: <c>6.12.neoverse-n1/fresh.state</c>.
/// </param>
public sealed record LabJob(string Name, TimeSpan Limit, Action<JobContext> Run, IReadOnlyList<string>? Inputs = null)
{
    /// <summary>Whether it runs only where `--jobs` names it: it takes long.</summary>
    public bool OnRequest { get; init; }

    /// <summary>Whether the hosts' image must hold their own kernel and a RAM disk for a guest: see <see cref="LinuxGuest"/>.</summary>
    public bool NeedsLinux { get; init; }
}
