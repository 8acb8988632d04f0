using Migrate.Model.Encoding;
using Migrate.Model.Hosts;

namespace Migrate.Benchmarks;

/// <summary>The hosts that were measured in the lab.</summary>
internal static class LabHosts
{
    /// <summary>Every profile, by name.</summary>
    public static List<HostProfile> All() =>
        [.. Directory.GetFiles(Path.Combine(CheckBenchmark.RepositoryRoot, "tests", "Data", "lab"), "probe.profile", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal).Select(path => (HostProfile)DocumentFile.Read(File.ReadAllBytes(path), path).Value)];
}
