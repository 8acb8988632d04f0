using System.Globalization;

namespace Migrate.Model.Registers;

/// <summary>
/// Reads the tables that are kept as text: words separated by blanks, a line a register, an indented line continues the one above.
/// </summary>
internal static class RegisterTable
{
    /// <summary>The words of each line.</summary>
    public static IEnumerable<string[]> Lines(string table) =>
        table.Replace("\n ", " ", StringComparison.Ordinal)
            .Split('\n')
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries));

    /// <summary>A field as <see cref="FieldTable"/> writes it: <c>Name:shift:width</c>, <c>s</c> behind a signed one.</summary>
    public static RegisterField Field(string word)
    {
        var parts = word.Split(':');
        return new RegisterField(parts[0], Number(parts[1]), Number(parts[2].TrimEnd('s')), Signed: parts[2].EndsWith('s'));
    }

    /// <summary>A decimal number of a table.</summary>
    public static int Number(ReadOnlySpan<char> digits) => int.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture);
}
