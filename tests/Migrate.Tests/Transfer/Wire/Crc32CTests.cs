using System.Text;
using Migrate.Transfer.Wire;

namespace Migrate.Tests.Transfer.Wire;

public class Crc32CTests
{
    public static TheoryData<byte[], uint> PublishedValues => new()
    {
        // RFC 3720, appendix B.4.
        { new byte[32], 0x8a9136aa },
        { Enumerable.Repeat((byte)0xff, 32).ToArray(), 0x62a8ab43 },
        { Enumerable.Range(0, 32).Select(i => (byte)i).ToArray(), 0x46dd794e },
        { Enumerable.Range(0, 32).Select(i => (byte)(31 - i)).ToArray(), 0x113fdb5c },
        { Encoding.ASCII.GetBytes("123456789"), 0xe3069283 },
        { [], 0 },
    };

    [Theory, MemberData(nameof(PublishedValues))]
    public void Gives_the_published_values(byte[] bytes, uint checksum) => Assert.Equal(checksum, Crc32C.Of(bytes));

    [Fact]
    public void Agrees_with_the_definition_at_every_length_and_split()
    {
        var bytes = new byte[200];
        new Random(1).NextBytes(bytes);
        for (var length = 0; length <= bytes.Length; length++)
        {
            var expected = ByDefinition(bytes.AsSpan(0, length));
            Assert.Equal(expected, Crc32C.Of(bytes.AsSpan(0, length)));
            var split = length * 3 / 7;
            Assert.Equal(expected, Crc32C.Append(Crc32C.Of(bytes.AsSpan(0, split)), bytes.AsSpan(split, length - split)));
        }
    }

    [Fact]
    public void Sees_every_single_flipped_bit()
    {
        var bytes = new byte[40];
        new Random(2).NextBytes(bytes);
        var checksum = Crc32C.Of(bytes);
        for (var bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << bit % 8);
            Assert.NotEqual(checksum, Crc32C.Of(bytes));
            bytes[bit / 8] ^= (byte)(1 << bit % 8);
        }
    }

    private static uint ByDefinition(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var b in bytes)
        {
            crc ^= b;
            for (var i = 0; i < 8; i++) crc = (crc & 1) != 0 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
        }
        return ~crc;
    }
}
