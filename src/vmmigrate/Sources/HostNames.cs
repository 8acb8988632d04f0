using Migrate.Cli.Output;
using Migrate.Model.Hosts;
using Migrate.Preflight.Baselines;

namespace Migrate.Cli.Sources;

/// <summary>Hosts of a command line under names that people can tell apart, whatever their order.</summary>
internal static class HostNames
{
    /// <summary>Reads every host once. A host is called by its name; where two would be called the same, with their kernels, and at last as they were typed.</summary>
    public static IReadOnlyList<BaselineHost> Read(IEnumerable<string> typed)
    {
        var read = typed.Distinct().Select(text => (Text: text, Profile: Input.Profile(text, "HOST"))).ToArray();
        Func<BootIdentity, string>[] names = [boot => boot.HostName == "(none)" ? "" : boot.HostName, HostText.Name];
        var called = names.Select(name => read.CountBy(h => name(h.Profile.Boot)).ToDictionary()).ToArray();
        return [.. read.Select(h => new BaselineHost(
            names.Select((name, i) => name(h.Profile.Boot) is { Length: > 0 } own && called[i][own] == 1 ? own : null).FirstOrDefault(n => n is not null) ?? h.Text, h.Profile))];
    }
}
