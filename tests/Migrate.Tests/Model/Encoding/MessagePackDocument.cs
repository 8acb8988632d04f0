using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Migrate.Model.Encoding.MessagePack;

namespace Migrate.Tests.Model.Encoding;

/// <summary>
/// Whole documents for the tests, in a form that both sides of an exchange can print: ["i","-5"], ["s","text"], ["b","hex"], ["n"],
/// ["t"], ["f"], ["a",[...]], ["m",[[key,value],...]]. Reading one goes through every method of the reader, duplicate keys included.
/// </summary>
internal static class MessagePackDocument
{
    public static byte[] Encode(JsonNode document)
    {
        var output = new ArrayBufferWriter<byte>();
        EncodeTo(output, document);
        return output.WrittenSpan.ToArray();
    }

    public static void EncodeTo(IBufferWriter<byte> output, JsonNode document)
    {
        var writer = new MessagePackWriter(output);
        Write(ref writer, document);
        writer.Flush();
    }

    public static JsonNode Decode(ReadOnlySpan<byte> bytes, MessagePackLimits limits)
    {
        var reader = new MessagePackReader(bytes, limits);
        var document = Read(ref reader);
        reader.EnsureEnd();
        return document;
    }

    /// <summary>A random document whose integers and lengths crowd around the borders between encodings.</summary>
    public static JsonNode Random(Random random, int depth) => random.Next(depth > 0 ? 8 : 6) switch
    {
        0 => new JsonArray(random.Next(3) switch { 0 => "n", 1 => "t", _ => "f" }),
        1 or 2 => new JsonArray("i", RandomInteger(random).ToString(CultureInfo.InvariantCulture)),
        3 or 4 => new JsonArray("s", RandomText(random, RandomLength(random))),
        5 => new JsonArray("b", Convert.ToHexStringLower(RandomBytes(random, RandomLength(random)))),
        6 => new JsonArray("a", new JsonArray([.. Enumerable.Range(0, random.Next(20)).Select(_ => Random(random, depth - 1))])),
        _ => new JsonArray("m", new JsonArray([.. RandomKeys(random).Select(k => new JsonArray(k, Random(random, depth - 1)))])),
    };

    private static IEnumerable<JsonNode> RandomKeys(Random random) => random.Next(2) == 0
        ? Enumerable.Range(0, random.Next(20)).Select(_ => (ulong)Int128.Abs(RandomInteger(random))).Distinct()
            .Select(k => (JsonNode)new JsonArray("i", k.ToString(CultureInfo.InvariantCulture)))
        : Enumerable.Range(0, random.Next(20)).Select(_ => RandomText(random, random.Next(40))).Distinct()
            .Select(k => (JsonNode)new JsonArray("s", k));

    private static Int128 RandomInteger(Random random)
    {
        var border = Int128.One << random.Next(65);
        var value = border + random.Next(-2, 3) - (random.Next(2) == 0 ? 0 : 2 * border);
        return Int128.Clamp(value, long.MinValue, ulong.MaxValue);
    }

    private static int RandomLength(Random random)
    {
        ReadOnlySpan<int> borders = [0, 1, 15, 31, 32, 33, 200, 255, 256, 257];
        return borders[random.Next(borders.Length)];
    }

    private static byte[] RandomBytes(Random random, int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }

    private static string RandomText(Random random, int utf8Length)
    {
        var text = new StringBuilder();
        for (var left = utf8Length; left > 0;)
        {
            var rune = random.Next(8) switch
            {
                0 => new Rune(random.Next(0x80, 0x800)),
                1 => new Rune(random.Next(0x800, 0xd800)),
                2 => new Rune(random.Next(0x10000, 0x110000)),
                _ => new Rune(random.Next(0, 0x80)),
            };
            if (rune.Utf8SequenceLength > left) continue;
            text.Append(rune.ToString());
            left -= rune.Utf8SequenceLength;
        }
        return text.ToString();
    }

    private static void Write(ref MessagePackWriter writer, JsonNode node)
    {
        switch ((string)node[0]!)
        {
            case "n": writer.WriteNil(); break;
            case "t": writer.Write(true); break;
            case "f": writer.Write(false); break;
            case "s": writer.Write((string)node[1]!); break;
            case "b": writer.Write(Convert.FromHexString((string)node[1]!)); break;
            case "i":
                var value = Int128.Parse((string)node[1]!, CultureInfo.InvariantCulture);
                if (value < 0) writer.Write((long)value);
                else writer.Write((ulong)value);
                break;
            case "a":
                writer.WriteArrayHeader(node[1]!.AsArray().Count);
                foreach (var item in node[1]!.AsArray()) Write(ref writer, item!);
                break;
            case "m":
                writer.WriteMapHeader(node[1]!.AsArray().Count);
                foreach (var pair in node[1]!.AsArray())
                {
                    Write(ref writer, pair![0]!);
                    Write(ref writer, pair[1]!);
                }
                break;
        }
    }

    private static JsonArray Read(ref MessagePackReader reader)
    {
        if (reader.TryReadNil()) return new JsonArray("n");
        switch (reader.NextMessagePackType)
        {
            case MessagePackType.Boolean: return new JsonArray(reader.ReadBoolean() ? "t" : "f");
            case MessagePackType.Integer: return new JsonArray("i", ReadInteger(ref reader).ToString(CultureInfo.InvariantCulture));
            case MessagePackType.Binary: return new JsonArray("b", Convert.ToHexStringLower(reader.ReadBytes()));
            case MessagePackType.Array:
                var items = new JsonArray();
                for (var left = reader.ReadArrayHeader(); left > 0; left--) items.Add((JsonNode)Read(ref reader));
                return new JsonArray("a", items);
            case MessagePackType.Map:
                var pairs = new JsonArray();
                var keys = new MessagePackMapKeys();
                for (var left = reader.ReadMapHeader(); left > 0; left--)
                {
                    JsonNode key = reader.NextMessagePackType == MessagePackType.Integer
                        ? new JsonArray("i", keys.ReadUInt64(ref reader).ToString(CultureInfo.InvariantCulture))
                        : new JsonArray("s", keys.ReadString(ref reader));
                    pairs.Add((JsonNode)new JsonArray(key, Read(ref reader)));
                }
                return new JsonArray("m", pairs);
            default: return new JsonArray("s", reader.ReadString());
        }
    }

    private static Int128 ReadInteger(ref MessagePackReader reader)
    {
        var ahead = reader;
        try
        {
            return reader.ReadInt64();
        }
        catch (MessagePackFormatException refused) when (refused.Fault == MessagePackFault.IntegerOutOfRange)
        {
            reader = ahead;
            return reader.ReadUInt64();
        }
    }
}
