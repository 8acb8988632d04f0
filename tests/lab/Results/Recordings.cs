using System.Text;

namespace Migrate.Lab.Results;

/// <summary>The kernels' answers as checked in under tests/Data/lab/HOST/, written with `--record`, else compared.</summary>
internal sealed class Recordings(string directory, bool record)
{
    private const int LinesShown = 8;

    /// <returns>What to tell about it, or null when the answer is the recorded one.</returns>
    public string? Take(string host, string name, ReadOnlyMemory<byte> content)
    {
        if (name != Path.GetFileName(name) || name.Length == 0 || name.StartsWith('.'))
            return $"refused an answer named '{name}': not a plain file name";
        var file = Path.Combine(directory, host, name);
        var known = File.Exists(file) ? File.ReadAllBytes(file) : null;
        if (known is not null && content.Span.SequenceEqual(known))
            return null;
        if (record)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllBytes(file, content.Span);
            return known is null ? $"recorded {host}/{name}" : $"recorded {host}/{name} again, it differed";
        }

        return known is null ? $"not recorded yet: {host}/{name} (--record)" : $"drift in {host}/{name}:\n{Difference(known, content.Span)}";
    }

    private static string Difference(byte[] known, ReadOnlySpan<byte> now)
    {
        if (known.Contains((byte)0) || now.Contains((byte)0))
            return $"    {known.Length} bytes recorded, {now.Length} now";
        var before = Encoding.UTF8.GetString(known).Split('\n');
        var after = Encoding.UTF8.GetString(now).Split('\n');
        var lines = before.Except(after).Select(line => "    - " + line).Concat(after.Except(before).Select(line => "    + " + line)).ToList();
        var more = lines.Count > LinesShown ? $"\n    and {lines.Count - LinesShown} more lines" : "";
        return lines.Count == 0 ? "    the same lines in another order" : string.Join('\n', lines.Take(LinesShown)) + more;
    }
}
