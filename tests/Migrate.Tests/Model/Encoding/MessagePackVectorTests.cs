using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Migrate.Model.Encoding.MessagePack;

namespace Migrate.Tests.Model.Encoding;

/// <summary>The reader and the writer against the values and encodings of the public MessagePack test suite (tests/Data/msgpack).</summary>
public class MessagePackVectorTests
{
    private sealed record Vector(string Type, JsonNode? Value, string[] Encodings);

    private static readonly Vector[] Vectors = JsonSerializer.Deserialize<Vector[]>(
        File.ReadAllText(Repository.Data("msgpack", "vectors.json")), JsonSerializerOptions.Web)!;

    [Fact]
    public void The_table_has_every_vector_of_the_suite()
    {
        Assert.Equal(233, Vectors.Sum(v => v.Encodings.Length));
        Assert.Equal(
            ["array 7", "binary 3", "boolean 2", "extension 26", "float 13", "integer 28", "map 5", "nil 1", "string 11"],
            Vectors.GroupBy(v => v.Type).Select(g => $"{g.Key} {g.Count()}").Order());
    }

    [Fact]
    public void Every_encoding_of_a_value_is_read_as_that_value() => EachEncoding((vector, bytes) =>
    {
        if (Document(vector) is not { } expected) return;
        var read = MessagePackDocument.Decode(bytes, MessagePackLimits.Default);
        Assert.True(JsonNode.DeepEquals(expected, read), $"{Convert.ToHexString(bytes)}: {expected.ToJsonString()} read as {read.ToJsonString()}");
    });

    [Fact]
    public void Every_value_is_written_in_its_shortest_encoding()
    {
        foreach (var vector in Vectors)
        {
            if (Document(vector) is not { } document) continue;
            var written = Convert.ToHexStringLower(MessagePackDocument.Encode(document));
            Assert.Contains(written, vector.Encodings);
            Assert.Equal(vector.Encodings.Min(e => e.Length), written.Length);
        }
    }

    [Fact]
    public void Every_encoding_is_stepped_over_whole() => EachEncoding((vector, bytes) =>
    {
        byte[] input = [.. bytes, 0xc0];
        var reader = new MessagePackReader(input, MessagePackLimits.Default);
        Assert.Equal(vector.Type, reader.NextMessagePackType.ToString().ToLowerInvariant());
        reader.Skip();
        Assert.Equal(bytes.Length, reader.Consumed);
        Assert.False(reader.End);
        Assert.True(reader.TryReadNil());
        Assert.True(reader.End);
    });

    [Fact]
    public void No_encoding_is_accepted_with_its_last_bytes_missing() => EachEncoding((_, bytes) =>
    {
        for (var length = 0; length < bytes.Length; length++)
        {
            var refused = Assert.Throws<MessagePackFormatException>(() =>
            {
                var reader = new MessagePackReader(bytes.AsSpan(0, length), MessagePackLimits.Default);
                reader.Skip();
            });
            Assert.True(refused.Fault is MessagePackFault.Truncated or MessagePackFault.CountBeyondInput, refused.Message);
        }
    });

    [Fact]
    public void Floats_and_extensions_are_never_taken_for_another_kind() => EachEncoding((vector, bytes) =>
    {
        if (vector.Type is not ("float" or "extension")) return;
        AssertOtherKind(bytes, (ref MessagePackReader r) => r.ReadInt64());
        AssertOtherKind(bytes, (ref MessagePackReader r) => r.ReadUInt64());
        AssertOtherKind(bytes, (ref MessagePackReader r) => r.ReadBoolean());
        AssertOtherKind(bytes, (ref MessagePackReader r) => r.ReadString());
        AssertOtherKind(bytes, (ref MessagePackReader r) => r.ReadBytes());
        AssertOtherKind(bytes, (ref MessagePackReader r) => r.ReadArrayHeader());
        AssertOtherKind(bytes, (ref MessagePackReader r) => r.ReadMapHeader());
    });

    private delegate void Read(ref MessagePackReader reader);

    private static void AssertOtherKind(byte[] bytes, Read read)
    {
        var refused = Assert.Throws<MessagePackFormatException>(() =>
        {
            var reader = new MessagePackReader(bytes, MessagePackLimits.Default);
            read(ref reader);
        });
        Assert.Equal(MessagePackFault.UnexpectedType, refused.Fault);
    }

    private static void EachEncoding(Action<Vector, byte[]> check)
    {
        foreach (var vector in Vectors)
        {
            foreach (var encoding in vector.Encodings) check(vector, Convert.FromHexString(encoding));
        }
    }

    /// <summary>The vector's value as a test document; null for the kinds that are only stepped over.</summary>
    private static JsonNode? Document(Vector vector) => vector.Type switch
    {
        "nil" => new JsonArray("n"),
        "integer" => new JsonArray("i", (string)vector.Value!),
        "binary" => new JsonArray("b", (string)vector.Value!),
        "float" or "extension" => null,
        _ => OfJson(vector.Value!),
    };

    private static JsonArray OfJson(JsonNode value) => value switch
    {
        JsonArray array => new JsonArray("a", new JsonArray([.. array.Select(item => OfJson(item!))])),
        JsonObject map => new JsonArray("m", new JsonArray([.. map.Select(p => new JsonArray(new JsonArray("s", p.Key), OfJson(p.Value!)))])),
        _ => value.GetValueKind() switch
        {
            JsonValueKind.True => new JsonArray("t"),
            JsonValueKind.False => new JsonArray("f"),
            JsonValueKind.Number => new JsonArray("i", value.GetValue<long>().ToString(CultureInfo.InvariantCulture)),
            _ => new JsonArray("s", (string)value!),
        },
    };
}
