using Migrate.Model.Hosts;
using Migrate.Model.Ports;

namespace Migrate.Simulation.Hosts;

/// <summary>A host that answers as a profile says. Agreement with it shows that plan and profile fit together, never that the profile is true.</summary>
public sealed class SimulatedHost(HostProfile profile) : IScratchHost
{
    /// <summary>What it answers from.</summary>
    public HostProfile Profile { get; } = profile;

    /// <summary>A scratch VM without guest memory: what a dry run executes a plan on.</summary>
    public SimulatedTarget NewTarget() => new(Profile);

    /// <inheritdoc/>
    public IScratchTarget NewScratch() => NewTarget();
}
