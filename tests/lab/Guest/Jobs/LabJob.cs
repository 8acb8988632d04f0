namespace Migrate.LabGuest.Jobs;

/// <summary>Something to do on a host.</summary>
/// <param name="Name">What `--jobs` calls it.</param>
/// <param name="Limit">How long it may take on an emulated host before the host counts as dead.</param>
/// <param name="Run">The job; reports cases and answers to the context.</param>
/// <param name="Inputs">Files below tests/Data that are sent along, as folder/pattern; null: none.</param>
public sealed record LabJob(string Name, TimeSpan Limit, Action<JobContext> Run, string? Inputs = null);
