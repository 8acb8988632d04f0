using Migrate.Model.Hosts;

namespace Migrate.Preflight.Fleet;

/// <summary>Hosts whose profiles say the same, so that each pair of groups is planned once.</summary>
internal static class HostGroups
{
    /// <summary>The groups in the order of their first hosts; each lists its hosts by index.</summary>
    public static IReadOnlyList<IReadOnlyList<int>> Of(IReadOnlyList<FleetHost> hosts) =>
        [.. Enumerable.Range(0, hosts.Count).GroupBy(i => Said(hosts[i].Profile), SaysTheSame.Comparer).Select(g => g.ToArray())];

    /// <summary>All that a verdict may rest on: the profile without the identity of its boot, of which rules read the page size alone.</summary>
    private static HostProfile Said(HostProfile profile) => profile with { Boot = new BootIdentity { PageSize = profile.Boot.PageSize }, Origin = "" };

    /// <summary>Equality member by member, found by a hash that looks at what new VMs have: hosts that differ nearly always differ there.</summary>
    private sealed class SaysTheSame : IEqualityComparer<HostProfile>
    {
        public static SaysTheSame Comparer { get; } = new();

        public bool Equals(HostProfile? one, HostProfile? other) => one == other;

        public int GetHashCode(HostProfile profile)
        {
            var hash = new HashCode();
            hash.Add(profile.CounterFrequency);
            foreach (var shape in profile.Shapes)
            {
                hash.Add(shape.Features);
                hash.Add(shape.Registers.Count);
                foreach (var register in shape.Registers) hash.Add(register.Reset?.Low ?? 0);
            }
            return hash.ToHashCode();
        }
    }
}
