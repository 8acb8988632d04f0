using System.Reflection;
using Migrate.Model.Encoding;
using Migrate.Model.Errors;
using Migrate.Model.Hosts;

namespace Migrate.Cli.Sources;

/// <summary>Profiles of real kernels that come with the program, for the simulation and the demo.</summary>
internal static class BundledHosts
{
    private const string Prefix = "hosts/";
    private const string Suffix = ".profile";

    /// <summary>The host that a simulated machine runs on when none is named.</summary>
    public const string Default = "6.12-neoverse-n1";

    public static IReadOnlyList<string> Names { get; } =
    [
        .. Assembly.GetExecutingAssembly().GetManifestResourceNames()
            .Where(n => n.StartsWith(Prefix, StringComparison.Ordinal)).Select(n => n[Prefix.Length..^Suffix.Length]).Order(),
    ];

    public static HostProfile Load(string name)
    {
        using var resource = Assembly.GetExecutingAssembly().GetManifestResourceStream(Prefix + name + Suffix)
            ?? throw new MigrateException(ErrorCode.NotFound, $"no bundled host is called '{name}'; there are {string.Join(", ", Names)}");
        var bytes = new byte[resource.Length];
        resource.ReadExactly(bytes);
        return MessagePackEncoding.Decode(Documents.HostProfile, bytes);
    }

    /// <summary>A bundled host by name, or a file or agent as DST may be.</summary>
    public static HostProfile Resolve(string? name) =>
        name is null ? Load(Default) : Names.Contains(name) ? Load(name) : Input.Profile(name, "--simulate");
}
