using System.Globalization;
using System.Text;

namespace Migrate.Model.Encoding;

/// <summary>Where in a document a reader or writer is: <c>$.vcpus[3].registers[12].value</c>. After a failure it stays at the place that failed.</summary>
internal sealed class DocumentPath
{
    private readonly List<(string? Name, int Index)> _steps = new(16);

    public void Enter(string name) => _steps.Add((name, 0));

    public void Enter(int index) => _steps.Add((null, index));

    public void Leave() => _steps.RemoveAt(_steps.Count - 1);

    public override string ToString()
    {
        var text = new StringBuilder("$");
        foreach (var (name, index) in _steps)
        {
            if (name is null) text.Append(CultureInfo.InvariantCulture, $"[{index}]");
            else text.Append('.').Append(name);
        }
        return text.ToString();
    }

    /// <summary>A stranger's text made fit for a one-line message: printable ASCII, cut off at the end.</summary>
    public static string Shown(string text, int longest = 40)
    {
        var shown = text.Length > longest ? text[..longest] : text;
        return string.Create(shown.Length, shown, static (span, from) =>
        {
            for (var i = 0; i < span.Length; i++) span[i] = from[i] is >= ' ' and <= '~' ? from[i] : '?';
        }) + (text.Length > longest ? "..." : "");
    }
}
