using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Migrate.Model.Errors;
using Migrate.Model.Registers;

namespace Migrate.Model.Encoding;

/// <summary>Reads JSON strictly: no comments, no trailing commas, hexadecimal text in lowercase and in full width.</summary>
internal ref struct JsonInput
{
    private static readonly JsonReaderOptions Strict =
        new() { AllowTrailingCommas = false, CommentHandling = JsonCommentHandling.Disallow, MaxDepth = 64 };

    private Utf8JsonReader _reader;
    private bool _isAhead;

    public JsonInput(ReadOnlySpan<byte> utf8) => _reader = new Utf8JsonReader(utf8, Strict);

    public readonly long Offset => _reader.TokenType == JsonTokenType.None ? 0 : _reader.TokenStartIndex;

    public int BeginMap(ref DocumentReader document)
    {
        Expect(JsonTokenType.StartObject, "an object", ref document);
        return 0;
    }

    public bool NextMember()
    {
        _reader.Read();
        return _reader.TokenType == JsonTokenType.PropertyName;
    }

    /// <summary>A key written with escapes is none of ours: our names need none, and unescaping may fail.</summary>
    public readonly bool KeyIs(MemberName name) => !_reader.ValueIsEscaped && _reader.ValueSpan.SequenceEqual(name.Utf8);

    public readonly string KeyText(ref DocumentReader document) => Unicode(ref document);

    public int BeginArray(ref DocumentReader document)
    {
        Expect(JsonTokenType.StartArray, "an array", ref document);
        return 0;
    }

    public bool NextElement()
    {
        _reader.Read();
        _isAhead = _reader.TokenType != JsonTokenType.EndArray;
        return _isAhead;
    }

    public bool TryNull()
    {
        Advance();
        _isAhead = _reader.TokenType != JsonTokenType.Null;
        return !_isAhead;
    }

    public string Text(ref DocumentReader document, int maximum)
    {
        Expect(JsonTokenType.String, "text", ref document);
        // Six bytes is the longest that JSON writes one UTF-16 unit in: a longer one is refused before it is copied.
        if (_reader.ValueSpan.Length > 6L * maximum)
            throw document.Refuse($"a text of {_reader.ValueSpan.Length} bytes, the limit is {maximum} characters", ErrorCode.TooLarge);
        return Unicode(ref document);
    }

    public bool Boolean(ref DocumentReader document)
    {
        Advance();
        if (_reader.TokenType is not (JsonTokenType.True or JsonTokenType.False)) throw Unexpected("true or false", ref document);
        return _reader.TokenType == JsonTokenType.True;
    }

    public long Number(ref DocumentReader document)
    {
        Expect(JsonTokenType.Number, "a number", ref document);
        return _reader.TryGetInt64(out var value) ? value : throw document.Refuse("not a whole number of at most 32 bits");
    }

    public ulong Hex64(ref DocumentReader document)
    {
        var digits = Hexadecimal(ref document);
        return digits.Length == 16 && ulong.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)
            ? value
            : throw document.Refuse("not 0x and 16 lowercase hexadecimal digits");
    }

    public byte[] Bytes(ref DocumentReader document, int maximum)
    {
        Expect(JsonTokenType.String, "hexadecimal text", ref document);
        var digits = _reader.ValueSpan;
        if (digits.Length / 2 > maximum) throw document.Refuse($"{digits.Length / 2} bytes, the limit is {maximum}", ErrorCode.TooLarge);
        var bytes = new byte[digits.Length / 2];
        return IsHexadecimal(digits) && Convert.FromHexString(digits, bytes, out _, out _) == OperationStatus.Done
            ? bytes
            : throw document.Refuse("not lowercase hexadecimal digits, two a byte");
    }

    public RegisterValue Value(ref DocumentReader document)
    {
        var digits = Hexadecimal(ref document);
        Span<byte> bytes = stackalloc byte[RegisterValue.MaximumSize];
        if (digits.Length is 0 or > 2 * RegisterValue.MaximumSize || digits.Length % 2 != 0
            || Convert.FromHexString(digits, bytes, out _, out var size) != OperationStatus.Done)
        {
            throw document.Refuse("not 0x and two lowercase hexadecimal digits a byte, for 1 to 256 bytes");
        }
        bytes[..size].Reverse();
        return new RegisterValue(bytes[..size]);
    }

    public void EnsureEnd(ref DocumentReader document)
    {
        if (_reader.Read()) throw document.Refuse("something follows the end of the document");
    }

    private readonly string Unicode(ref DocumentReader document)
    {
        try
        {
            return _reader.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            // Bytes that are not UTF-8, or an escaped half of a surrogate pair.
            throw document.Refuse("text that is not Unicode", cause: e);
        }
    }

    /// <summary>The digits behind 0x of a text that has them and no others.</summary>
    private ReadOnlySpan<byte> Hexadecimal(ref DocumentReader document)
    {
        Expect(JsonTokenType.String, "hexadecimal text", ref document);
        var text = _reader.ValueSpan;
        return text.StartsWith("0x"u8) && IsHexadecimal(text[2..]) ? text[2..] : throw document.Refuse("not 0x and lowercase hexadecimal digits");
    }

    private static bool IsHexadecimal(ReadOnlySpan<byte> digits) => !digits.ContainsAnyExcept(LowercaseDigits);

    private static readonly SearchValues<byte> LowercaseDigits = SearchValues.Create("0123456789abcdef"u8);

    private void Expect(JsonTokenType type, string wanted, ref DocumentReader document)
    {
        Advance();
        if (_reader.TokenType != type) throw Unexpected(wanted, ref document);
    }

    private void Advance()
    {
        if (!_isAhead) _reader.Read();
        _isAhead = false;
    }

    private readonly MigrateException Unexpected(string wanted, ref DocumentReader document) => document.Refuse(
        $"{wanted} expected, {_reader.TokenType switch
        {
            JsonTokenType.StartObject => "an object",
            JsonTokenType.StartArray => "an array",
            JsonTokenType.String => "text",
            JsonTokenType.Number => "a number",
            JsonTokenType.Null => "null",
            JsonTokenType.True or JsonTokenType.False => "true or false",
            _ => "nothing",
        }} found");
}
