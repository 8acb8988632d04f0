using System.Text.Json.Nodes;
using Migrate.Model.Errors;

namespace Migrate.Model.Encoding;

internal sealed class TextShape(int maximum) : Shape<string>
{
    /// <summary>Whether a UTF-16 unit may stand alone in a line: no control character, no line or paragraph separator, no half of a pair.</summary>
    public static bool IsAllowed(char unit) => !char.IsControl(unit) && unit is not ('\u2028' or '\u2029') && !char.IsSurrogate(unit);

    internal override void Write(DocumentWriter writer, string value)
    {
        if (Problem(value) is { } problem) throw writer.Refuse(problem);
        if (value.Length > maximum) throw writer.Refuse($"a text of {value.Length} characters, the limit is {maximum}", ErrorCode.TooLarge);
        writer.Text(value);
    }

    internal override string Read(ref DocumentReader reader)
    {
        var value = reader.Text(maximum);
        return Problem(value) is { } problem ? throw reader.Refuse(problem) : value;
    }

    internal override JsonObject Describe(SchemaDefinitions definitions) => new() { ["type"] = "string", ["maxLength"] = maximum };

    private static string? Problem(string value)
    {
        for (var i = 0; i < value.Length; i++)
        {
            if (char.IsHighSurrogate(value[i]) && i + 1 < value.Length && char.IsLowSurrogate(value[i + 1])) i++;
            else if (!IsAllowed(value[i])) return $"character {(int)value[i]:x4} may not be in a line of text";
        }
        return null;
    }
}

internal sealed class EnumShape<E> : Shape<E> where E : struct, Enum
{
    private const int LongestWord = 64;
    private readonly Dictionary<E, string> _words = Enum.GetValues<E>().ToDictionary(v => v, v => KebabCase.Of(v.ToString()));
    private readonly Dictionary<string, E> _values;

    private EnumShape() => _values = _words.ToDictionary(p => p.Value, p => p.Key, StringComparer.Ordinal);

    public static EnumShape<E> Instance { get; } = new();

    internal override void Write(DocumentWriter writer, E value) =>
        writer.Text(_words.TryGetValue(value, out var word) ? word : throw writer.Refuse($"{value} is no {Kind}"));

    internal override E Read(ref DocumentReader reader)
    {
        var word = reader.Text(LongestWord);
        return _values.TryGetValue(word, out var value)
            ? value
            : throw reader.Refuse($"'{DocumentPath.Shown(word)}' is no {Kind}; known: {string.Join(", ", _values.Keys)}");
    }

    internal override JsonObject Describe(SchemaDefinitions definitions) =>
        new() { ["enum"] = new JsonArray([.. _words.Values.Select(w => (JsonNode)w)]) };

    private static string Kind => KebabCase.Of(typeof(E).Name).Replace('-', ' ');
}
