using Migrate.Model.Hosts;

namespace Migrate.Simulation.Hosts;

/// <summary>A host that answers as a profile says. Agreement with it shows that plan and profile fit together, never that the profile is true.</summary>
public sealed class SimulatedHost(HostProfile profile)
{
    /// <summary>What it answers from.</summary>
    public HostProfile Profile { get; } = profile;

    /// <summary>A scratch VM without guest memory: what a dry run executes a plan on.</summary>
    public SimulatedTarget NewTarget() => new(Profile);
}
