using Migrate.Cli.Output;
using Migrate.Preflight.Baselines;

namespace Migrate.Cli.Sources;

/// <summary>Hosts of a command line under names that people can tell apart, whatever their order.</summary>
internal static class HostNames
{
    /// <summary>Reads every host once. A host is called as it calls itself; where two would be called the same, as they were typed.</summary>
    public static IReadOnlyList<BaselineHost> Read(IEnumerable<string> typed)
    {
        var read = typed.Distinct().Select(text => (Text: text, Profile: Input.Profile(text, "HOST"))).ToArray();
        var called = read.CountBy(h => HostText.Name(h.Profile.Boot)).ToDictionary();
        return [.. read.Select(h => new BaselineHost(HostText.Name(h.Profile.Boot) is { Length: > 0 } own && called[own] == 1 ? own : h.Text, h.Profile))];
    }
}
