using Migrate.Model.Hosts;

namespace Migrate.Preflight.Baselines;

/// <summary>A host of the set.</summary>
/// <param name="Name">What reports call it; one name, one host.</param>
/// <param name="Profile">What it accepts.</param>
public sealed record BaselineHost(string Name, HostProfile Profile);
