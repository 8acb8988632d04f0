using System.Buffers;
using Migrate.Model.Encoding.MessagePack;

namespace Migrate.Tests.Model.Encoding;

public class MessagePackWriterTests
{
    private delegate void Write(ref MessagePackWriter writer);

    [Theory]
    [InlineData(31, "bf")]
    [InlineData(32, "d920")]
    [InlineData(255, "d9ff")]
    [InlineData(256, "da0100")]
    [InlineData(65535, "daffff")]
    [InlineData(65536, "db00010000")]
    public void A_string_has_the_shortest_header_for_its_utf8_length(int length, string header)
    {
        var text = new string('a', length - 2) + "\u00e9";
        var written = Written((ref MessagePackWriter w) => w.Write(text));
        Assert.Equal(header, Convert.ToHexStringLower(written.AsSpan(0, written.Length - length)));
        Assert.Equal(written, Written((ref MessagePackWriter w) => w.WriteString(System.Text.Encoding.UTF8.GetBytes(text))));
        var reader = new MessagePackReader(written, MessagePackLimits.Default);
        Assert.Equal(text, reader.ReadString());
        Assert.True(reader.End);
    }

    [Theory]
    [InlineData(0, "c400")]
    [InlineData(255, "c4ff")]
    [InlineData(256, "c50100")]
    [InlineData(65535, "c5ffff")]
    [InlineData(65536, "c600010000")]
    public void Binary_has_the_shortest_header_for_its_length(int length, string header)
    {
        var bytes = new byte[length];
        new Random(1).NextBytes(bytes);
        var written = Written((ref MessagePackWriter w) => w.Write(bytes));
        Assert.Equal(header, Convert.ToHexStringLower(written.AsSpan(0, written.Length - length)));
        var reader = new MessagePackReader(written, MessagePackLimits.Default);
        Assert.True(reader.ReadBytes().SequenceEqual(bytes));
        Assert.True(reader.End);
    }

    [Theory]
    [InlineData(0, "90", "80")]
    [InlineData(15, "9f", "8f")]
    [InlineData(16, "dc0010", "de0010")]
    [InlineData(65535, "dcffff", "deffff")]
    [InlineData(65536, "dd00010000", "df00010000")]
    public void A_container_has_the_shortest_header_for_its_count(int count, string array, string map)
    {
        var writtenArray = Written((ref MessagePackWriter w) => w.WriteArrayHeader(count));
        var writtenMap = Written((ref MessagePackWriter w) => w.WriteMapHeader(count));
        Assert.Equal((array, map), (Convert.ToHexStringLower(writtenArray), Convert.ToHexStringLower(writtenMap)));

        var reader = new MessagePackReader([.. writtenArray, .. new byte[count]], MessagePackLimits.Default);
        Assert.Equal(count, reader.ReadArrayHeader());
        reader = new MessagePackReader([.. writtenMap, .. new byte[2 * count]], MessagePackLimits.Default);
        Assert.Equal(count, reader.ReadMapHeader());
    }

    [Fact]
    public void Small_integers_of_every_width_are_one_byte()
    {
        Assert.Equal("07070707fbfb", Convert.ToHexStringLower(Written((ref MessagePackWriter w) =>
        {
            w.Write(7);
            w.Write(7u);
            w.Write(7L);
            w.Write(7UL);
            w.Write(-5);
            w.Write(-5L);
        })));
    }

    [Fact]
    public void Nothing_reaches_the_output_before_the_flush_and_everything_once_after_it()
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new MessagePackWriter(output);
        writer.Write(1);
        Assert.Equal(0, output.WrittenCount);
        writer.Flush();
        writer.Flush();
        Assert.Equal(1, output.WrittenCount);
        writer.Write(2);
        writer.Flush();
        Assert.Equal("0102", Convert.ToHexString(output.WrittenSpan));
    }

    [Fact]
    public void An_output_that_gives_no_byte_more_than_asked_for_gets_the_same_bytes()
    {
        var random = new Random(2);
        for (var i = 0; i < 200; i++)
        {
            var document = MessagePackDocument.Random(random, 3);
            var stingy = new StingyOutput();
            var bytes = MessagePackDocument.Encode(document);
            MessagePackDocument.EncodeTo(stingy, document);
            Assert.Equal(bytes, stingy.Written);
        }
    }

    [Fact]
    public void Refuses_text_that_utf8_cannot_carry()
    {
        Assert.ThrowsAny<ArgumentException>(() => Written((ref MessagePackWriter w) => w.Write("a\ud800")));
        Assert.ThrowsAny<ArgumentException>(() => Written((ref MessagePackWriter w) => w.WriteString([0x61, 0x80])));
        Assert.Throws<ArgumentNullException>(() => Written((ref MessagePackWriter w) => w.Write((string)null!)));
    }

    [Fact]
    public void Refuses_a_negative_count()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Written((ref MessagePackWriter w) => w.WriteArrayHeader(-1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => Written((ref MessagePackWriter w) => w.WriteMapHeader(-1)));
    }

    private static byte[] Written(Write write)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new MessagePackWriter(output);
        write(ref writer);
        writer.Flush();
        return output.WrittenSpan.ToArray();
    }

    private sealed class StingyOutput : IBufferWriter<byte>
    {
        private readonly List<byte> _written = [];
        private byte[] _lent = [];

        public byte[] Written => [.. _written];

        public void Advance(int count)
        {
            _written.AddRange(_lent.AsSpan(0, count));
            _lent = [];
        }

        public Memory<byte> GetMemory(int sizeHint = 0) => _lent = new byte[Math.Max(1, sizeHint)];

        public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;
    }
}
