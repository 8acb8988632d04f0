using Migrate.Model.Errors;
using Migrate.Model.Registers;

namespace Migrate.Model.Encoding;

/// <summary>What shapes read from: JSON or MessagePack, whose own rules are in <see cref="JsonInput"/> and <see cref="MessagePackInput"/>.</summary>
/// <remarks>A ref struct because both inputs look into a span; always passed by reference.</remarks>
internal ref struct DocumentReader
{
    private readonly bool _isJson;
    private JsonInput _json;
    private MessagePackInput _pack;

    public DocumentReader(JsonInput json)
    {
        _isJson = true;
        _json = json;
    }

    public DocumentReader(MessagePackInput pack) => _pack = pack;

    public DocumentPath Path { get; } = new();

    /// <summary>Whether members that only help people are allowed.</summary>
    public readonly bool AllowsHints => _isJson;

    /// <summary>Where the value that was read last, or is being read, begins.</summary>
    public readonly long Offset => _isJson ? _json.Offset : _pack.Offset;

    /// <summary>Begins a map; the result is what <see cref="NextMember"/> counts in.</summary>
    public int BeginMap() => _isJson ? _json.BeginMap(ref this) : _pack.BeginMap();

    /// <summary>Goes on to the next key; false at the end of the map.</summary>
    public bool NextMember(ref int left) => _isJson ? _json.NextMember() : _pack.NextMember(ref left);

    /// <summary>Whether the key that is next is this one, in which case it is read.</summary>
    public readonly bool KeyIs(MemberName name) => _isJson ? _json.KeyIs(name) : _pack.KeyIs(name);

    /// <summary>The key that is next, for messages.</summary>
    public string KeyText() => _isJson ? _json.KeyText(ref this) : _pack.KeyText();

    public int BeginArray() => _isJson ? _json.BeginArray(ref this) : _pack.BeginArray();

    /// <summary>Goes on to the next element; false at the end of the array.</summary>
    public bool NextElement(ref int left) => _isJson ? _json.NextElement() : _pack.NextElement(ref left);

    /// <summary>Reads null where it is next.</summary>
    public bool TryNull() => _isJson ? _json.TryNull() : _pack.TryNull();

    /// <summary>Text of at most so many UTF-16 units.</summary>
    public string Text(int maximum)
    {
        var text = _isJson ? _json.Text(ref this, maximum) : _pack.Text();
        return text.Length <= maximum ? text : throw Refuse($"a text of {text.Length} characters, the limit is {maximum}", ErrorCode.TooLarge);
    }

    public bool Boolean() => _isJson ? _json.Boolean(ref this) : _pack.Boolean();

    /// <summary>A number of at most 32 bits; the caller checks the range.</summary>
    public long Number() => _isJson ? _json.Number(ref this) : _pack.Int64();

    public ulong Hex64() => _isJson ? _json.Hex64(ref this) : _pack.UInt64();

    public long Int64() => _isJson ? unchecked((long)_json.Hex64(ref this)) : _pack.Int64();

    public byte[] Bytes(int maximum) => _isJson ? _json.Bytes(ref this, maximum) : _pack.Bytes(ref this, maximum);

    public RegisterValue Value() => _isJson ? _json.Value(ref this) : _pack.Value(ref this);

    /// <summary>Refuses anything behind the document.</summary>
    public void EnsureEnd()
    {
        if (_isJson) _json.EnsureEnd(ref this);
        else _pack.EnsureEnd();
    }

    /// <summary>An error about the value that was read last: path, reason, byte.</summary>
    public readonly MigrateException Refuse(string problem, ErrorCode code = ErrorCode.Malformed, Exception? cause = null) =>
        new(code, $"{Path}: {problem} (at byte {Offset})", cause) { Stage = Stage.Input };
}

/// <summary>A member's name as text and as UTF-8.</summary>
internal sealed class MemberName(string text)
{
    public string Text { get; } = text;

    public byte[] Utf8 { get; } = System.Text.Encoding.UTF8.GetBytes(text);
}
