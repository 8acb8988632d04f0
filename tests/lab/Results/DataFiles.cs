namespace Migrate.Lab.Results;

/// <summary>Files of tests/Data by pattern.</summary>
internal static class DataFiles
{
    /// <summary>Every file whose path matches, in order of its name.</summary>
    /// <param name="root">tests/Data.</param>
    /// <param name="pattern">Folders and a file name behind it, each of which may hold a *.</param>
    /// <returns>The file, and its path from the first part with a * on.</returns>
    public static IReadOnlyList<(string Path, string Name)> Matching(string root, string pattern)
    {
        var parts = pattern.Split('/');
        var isFixed = parts[..^1].TakeWhile(part => !part.Contains('*')).Count();
        var start = Path.Combine([root, .. parts[..isFixed]]);
        IEnumerable<string> folders = [start];
        foreach (var part in parts[isFixed..^1])
            folders = folders.SelectMany(folder => Directory.GetDirectories(folder, part));
        return
        [
            .. folders.SelectMany(folder => Directory.GetFiles(folder, parts[^1]))
                .Select(path => (path, Path.GetRelativePath(start, path)))
                .OrderBy(file => file.Item2, StringComparer.Ordinal),
        ];
    }
}
