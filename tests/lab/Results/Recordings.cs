using System.Text;

namespace Migrate.Lab.Results;

/// <summary>What became of an answer.</summary>
/// <param name="Remark">What to tell about it; empty when it is the recorded one.</param>
/// <param name="Failed">The very kernel and emulator of the recording answered something else: that is no drift.</param>
internal readonly record struct Recorded(string Remark, bool Failed = false);

/// <summary>Where the answers of one host, or of one pair, are kept.</summary>
/// <param name="Recordings">All of its kind.</param>
/// <param name="Name">The folder.</param>
/// <param name="Identity">What answers; see <see cref="Recordings.Take"/>.</param>
internal readonly record struct Recorder(Recordings Recordings, string Name, string Identity)
{
    /// <inheritdoc cref="Recordings.Take"/>
    public Recorded Take(string file, ReadOnlyMemory<byte> content) => Recordings.Take(Name, Identity, file, content);
}

/// <summary>The kernels' answers as checked in under tests/Data/lab/HOST/, written with `--record`, else compared.</summary>
internal sealed class Recordings(string directory, bool record)
{
    private const int LinesShown = 8;

    /// <summary>Names what is measured: kernel and emulator.</summary>
    private const string IdentityFile = "host.txt";

    /// <summary>Compares an answer of a host that is what the identity says.</summary>
    public Recorded Take(string host, string identity, string name, ReadOnlyMemory<byte> content)
    {
        if (name != Path.GetFileName(name) || name.Length == 0 || name.StartsWith('.') || name == IdentityFile)
            return new Recorded($"refused an answer named '{name}': not a plain file name", Failed: true);
        var file = Path.Combine(directory, host, name);
        var known = File.Exists(file) ? File.ReadAllBytes(file) : null;
        var same = known is not null && content.Span.SequenceEqual(known);
        if (record)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(Path.Combine(directory, host, IdentityFile), identity);
            File.WriteAllBytes(file, content.Span);
            return new Recorded(same ? "" : known is null ? $"recorded {host}/{name}" : $"recorded {host}/{name} again, it differed");
        }

        if (same)
            return new Recorded("");
        if (known is null)
            return new Recorded($"not recorded yet: {host}/{name} (--record)");
        var identityFile = Path.Combine(directory, host, IdentityFile);
        var before = File.Exists(identityFile) ? File.ReadAllText(identityFile) : "an unnamed kernel";
        return before == identity
            ? new Recorded($"{host}/{name}: the same kernel and emulator answered something else before:\n{Difference(known, content.Span)}", Failed: true)
            : new Recorded($"drift in {host}/{name}, recorded on {before.TrimEnd().Replace('\n', ',')}:\n{Difference(known, content.Span)}");
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
