using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Migrate.Model.Errors;

namespace Migrate.Model.Encoding;

/// <summary>Shapes as JSON.</summary>
public static class JsonEncoding
{
    internal static JsonSerializerOptions SchemaOptions { get; } = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The JSON text of a value; equal values give equal text.</summary>
    /// <exception cref="MigrateException">The value is not what its shape allows; the message says where.</exception>
    public static string Encode<T>(Shape<T> shape, T value, bool indented = true)
    {
        var output = new ArrayBufferWriter<byte>();
        Encode(shape, value, output, indented);
        return System.Text.Encoding.UTF8.GetString(output.WrittenSpan);
    }

    /// <summary>Writes a value as UTF-8 JSON.</summary>
    /// <exception cref="MigrateException">The value is not what its shape allows; the message says where.</exception>
    public static void Encode<T>(Shape<T> shape, T value, IBufferWriter<byte> output, bool indented = true)
    {
        using var writer = new JsonDocumentWriter(output, indented);
        shape.Write(writer, value);
        writer.Flush();
    }

    /// <summary>Reads a value; the input is nothing but it.</summary>
    /// <exception cref="MigrateException">
    /// <see cref="ErrorCode.Malformed"/>, <see cref="ErrorCode.TooLarge"/> or <see cref="ErrorCode.Unsupported"/>; the message gives path, reason and byte.
    /// </exception>
    public static T Decode<T>(Shape<T> shape, ReadOnlySpan<byte> utf8) => Decode(shape, utf8, wholeInput: true);

    /// <summary>Reads a value and, unless <paramref name="wholeInput"/>, leaves what follows unread.</summary>
    internal static T Decode<T>(Shape<T> shape, ReadOnlySpan<byte> utf8, bool wholeInput)
    {
        var reader = new DocumentReader(new JsonInput(utf8));
        try
        {
            var value = shape.Read(ref reader);
            if (wholeInput) reader.EnsureEnd();
            return value;
        }
        catch (JsonException e)
        {
            // The reader's own words, which may quote the input at any length, but for the position that it appends: it counts from 0.
            var reason = DocumentPath.Shown(e.Message.Split(" LineNumber:")[0].TrimEnd('.', ' '), 120);
            throw reader.Refuse($"not JSON: {reason}, line {e.LineNumber + 1}, column {e.BytePositionInLine + 1}", cause: e);
        }
    }
}
