using Migrate.Model.Encoding;
using Migrate.Model.Errors;
using Migrate.Model.Hosts;
using Migrate.Preflight.Fleet;

namespace Migrate.Cli.Sources;

/// <summary>HOST on the command line: a profile's or capture's file, HOST:PORT of an agent, or a bundled host.</summary>
internal static class FleetInput
{
    /// <summary>The longest name that a matrix document holds.</summary>
    private const int LongestName = 256;

    private static readonly string[] Suffixes = [".json", ".txt", ".profile"];

    /// <summary>One host.</summary>
    public static HostProfile Host(string text) =>
        !File.Exists(text) && BundledHosts.Names.Contains(text) ? BundledHosts.Load(text)
        : File.Exists(text) || Endpoint.TryParse(text, out _) ? Input.Profile(text, "HOST")
        : throw new MigrateException(ErrorCode.NotFound, $"HOST '{text}' is no file, no HOST:PORT, and no bundled host")
        { Stage = Stage.Input, Remedy = $"Bundled hosts: {string.Join(", ", BundledHosts.Names)}." };

    /// <summary>Several hosts, each under a name of its own.</summary>
    public static IReadOnlyList<FleetHost> Hosts(IReadOnlyList<string> texts)
    {
        var names = Names(texts);
        return [.. texts.Select((text, i) => new FleetHost(names[i], Host(text)))];
    }

    /// <summary>The shortest name that tells each from the others: the file's, its directory's, both, what was typed, and at last a number.</summary>
    public static IReadOnlyList<string> Names(IReadOnlyList<string> texts)
    {
        Func<string, string>[] ways = [Stem, Parent, t => Parent(t) + "/" + Stem(t), t => t];
        var names = texts.Select(Stem).ToArray();
        foreach (var way in ways)
        {
            var taken = names.CountBy(n => n).ToDictionary(StringComparer.Ordinal);
            for (var i = 0; i < names.Length; i++)
                if (taken[names[i]] > 1 && way(texts[i]) is { Length: > 0 } better) names[i] = better;
        }
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < names.Length; i++)
        {
            var name = names[i] = Shapes.OneLine(names[i], LongestName);
            for (var n = 2; !seen.Add(names[i]); n++) names[i] = Shapes.OneLine(name, LongestName - 8) + $" #{n}";
        }
        return names;
    }

    private static string Stem(string text)
    {
        if (!File.Exists(text)) return text;
        var name = Path.GetFileName(text);
        foreach (var suffix in Suffixes)
            if (name.Length > suffix.Length && name.EndsWith(suffix, StringComparison.OrdinalIgnoreCase)) name = name[..^suffix.Length];
        return name;
    }

    private static string Parent(string text) => File.Exists(text) ? Path.GetFileName(Path.GetDirectoryName(Path.GetFullPath(text))) ?? "" : text;
}
