using Migrate.Model;
using Migrate.Model.Plans;

namespace Migrate.Preflight;

/// <summary>The printed form of a <see cref="FindingCode"/>.</summary>
public static class FindingCodes
{
    /// <summary>Kebab-case name, as <c>--accept</c> takes it: <c>WorkaroundLevel</c> is <c>workaround-level</c>.</summary>
    public static string Text(this FindingCode code) => KebabCase.Of(code.ToString());

    /// <summary>Reads what <see cref="Text"/> wrote.</summary>
    public static bool TryParse(string text, out FindingCode code)
    {
        foreach (var candidate in Enum.GetValues<FindingCode>())
        {
            if (candidate.Text() != text) continue;
            code = candidate;
            return true;
        }
        code = default;
        return false;
    }
}
