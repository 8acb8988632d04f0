using Migrate.Model.Encoding;
using Migrate.Model.Hosts;

namespace Migrate.Tests.Preflight;

/// <summary>The profiles that the lab measured, by the name of their recording (<c>6.12.neoverse-n1</c>), each read once.</summary>
internal static class Recordings
{
    private static readonly Lazy<SortedDictionary<string, HostProfile>> Read = new(() => new SortedDictionary<string, HostProfile>(
        Directory.GetDirectories(Repository.Data("lab")).Select(d => (Name: Path.GetFileName(d), File: Path.Combine(d, "probe.profile"))).Where(r => File.Exists(r.File))
            .ToDictionary(r => r.Name, r => (HostProfile)DocumentFile.Read(File.ReadAllBytes(r.File), r.Name).Value), StringComparer.Ordinal));

    public static IReadOnlyDictionary<string, HostProfile> All => Read.Value;
}
