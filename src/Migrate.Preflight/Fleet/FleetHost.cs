using Migrate.Model.Hosts;

namespace Migrate.Preflight.Fleet;

/// <summary>A host of a fleet.</summary>
/// <param name="Name">What it is called; unique within the fleet.</param>
/// <param name="Profile">What it accepts.</param>
public sealed record FleetHost(string Name, HostProfile Profile);
