using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Migrate.Model.Registers;

namespace Migrate.Model.Encoding;

/// <summary>Writes JSON: 64-bit and wider values as lowercase hexadecimal text, bytes as hexadecimal text in memory order.</summary>
internal sealed class JsonDocumentWriter : DocumentWriter, IDisposable
{
    private static readonly JavaScriptEncoder Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;

    private readonly Utf8JsonWriter _outer;
    private readonly bool _indented;
    private readonly ArrayBufferWriter<byte> _line = new();
    private Utf8JsonWriter? _inner;
    private readonly Stack<bool> _isArray = new();
    private int _innerDepth;

    public JsonDocumentWriter(IBufferWriter<byte> output, bool indented)
    {
        _indented = indented;
        _outer = new Utf8JsonWriter(output, new JsonWriterOptions { Encoder = Encoder, Indented = indented, NewLine = "\n", SkipValidation = true });
    }

    public override bool WritesHints => true;

    /// <summary>Inside a one-line record, the writer of that line.</summary>
    private Utf8JsonWriter Json => _innerDepth > 0 ? _inner! : _outer;

    public override void BeginMap(int count, bool oneLine)
    {
        if (_indented && (oneLine || _innerDepth > 0))
        {
            if (_innerDepth++ == 0)
            {
                _line.ResetWrittenCount();
                if (_isArray.TryPeek(out var inArray) && inArray) BreakLine();
                if (_inner is null) _inner = new Utf8JsonWriter(_line, new JsonWriterOptions { Encoder = Encoder, SkipValidation = true });
                else _inner.Reset();
            }
        }
        Json.WriteStartObject();
        _isArray.Push(false);
    }

    public override void EndMap()
    {
        Json.WriteEndObject();
        _isArray.Pop();
        if (_innerDepth == 0 || --_innerDepth > 0) return;
        _inner!.Flush();
        _outer.WriteRawValue(_line.WrittenSpan, skipInputValidation: true);
    }

    public override void Key(string name) => Json.WritePropertyName(name);

    public override void BeginArray(int count)
    {
        Json.WriteStartArray();
        _isArray.Push(true);
    }

    public override void EndArray()
    {
        Json.WriteEndArray();
        _isArray.Pop();
    }

    public override void Null() => Json.WriteNullValue();

    public override void Text(string value) => Json.WriteStringValue(value);

    public override void Boolean(bool value) => Json.WriteBooleanValue(value);

    public override void Number(long value) => Json.WriteNumberValue(value);

    public override void Hex64(ulong value) => Json.WriteStringValue(string.Create(CultureInfo.InvariantCulture, $"0x{value:x16}"));

    public override void Int64(long value) => Hex64(unchecked((ulong)value));

    public override void Bytes(ReadOnlySpan<byte> value) => Json.WriteStringValue(Convert.ToHexStringLower(value));

    public override void Value(RegisterValue value) => Json.WriteStringValue(value.ToString());

    /// <summary>Utf8JsonWriter puts a raw value behind the last one; an element of an array belongs on a line of its own.</summary>
    private void BreakLine()
    {
        var size = 1 + 2 * _outer.CurrentDepth;
        var span = _line.GetSpan(size)[..size];
        span.Fill((byte)' ');
        span[0] = (byte)'\n';
        _line.Advance(size);
    }

    public void Flush() => _outer.Flush();

    public void Dispose()
    {
        _outer.Dispose();
        _inner?.Dispose();
    }
}
