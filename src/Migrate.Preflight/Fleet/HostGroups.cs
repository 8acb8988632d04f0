using System.Security.Cryptography;
using Migrate.Model.Encoding;
using Migrate.Model.Hosts;

namespace Migrate.Preflight.Fleet;

/// <summary>Hosts whose profiles say the same, so that each pair of groups is planned once.</summary>
internal static class HostGroups
{
    /// <summary>The groups in the order of their first hosts; each lists its hosts by index.</summary>
    public static IReadOnlyList<IReadOnlyList<int>> Of(IReadOnlyList<FleetHost> hosts) =>
        [.. Enumerable.Range(0, hosts.Count).GroupBy(i => Digest(hosts[i].Profile), StringComparer.Ordinal).Select(g => g.ToArray())];

    /// <summary>SHA-256 of all that a verdict may rest on: the profile without the identity of its boot, of which rules read the page size alone.</summary>
    private static string Digest(HostProfile profile)
    {
        var said = profile with { Boot = new BootIdentity { PageSize = profile.Boot.PageSize }, Origin = "" };
        return Convert.ToHexStringLower(SHA256.HashData(MessagePackEncoding.Encode(Documents.HostProfile, said)));
    }
}
