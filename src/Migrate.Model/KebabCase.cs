using System.Text;

namespace Migrate.Model;

/// <summary>Turns PascalCase enum names into the kebab-case words of documents and messages.</summary>
public static class KebabCase
{
    /// <summary><c>NotConverging</c> becomes <c>not-converging</c>.</summary>
    public static string Of(string pascal)
    {
        var text = new StringBuilder(pascal.Length + 4);
        for (var i = 0; i < pascal.Length; i++)
        {
            if (i > 0 && char.IsUpper(pascal[i])) text.Append('-');
            text.Append(char.ToLowerInvariant(pascal[i]));
        }
        return text.ToString();
    }
}
