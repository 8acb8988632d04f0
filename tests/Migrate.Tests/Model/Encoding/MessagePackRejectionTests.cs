using Migrate.Model.Encoding.MessagePack;
using Migrate.Model.Errors;

namespace Migrate.Tests.Model.Encoding;

/// <summary>Every reason to refuse, each by its name and with the offset of the value refused, beside its accepted neighbour.</summary>
public class MessagePackRejectionTests
{
    private delegate void Read(ref MessagePackReader reader);

    private static readonly MessagePackLimits Small = new(MaxDepth: 3, MaxStringBytes: 4, MaxBinaryBytes: 4, MaxElements: 3, MaxInputBytes: 64);

    private static readonly Read SkipAll = (ref MessagePackReader r) =>
    {
        while (!r.End) r.Skip();
    };

    [Fact]
    public void Refuses_an_empty_input() => Refuses(MessagePackFault.Truncated, 0, "", (ref MessagePackReader r) => r.Skip());

    [Theory]
    [InlineData("c0 cd01")]
    [InlineData("c0 d300000000000000")]
    [InlineData("c0 a3 6162")]
    [InlineData("c0 c402 00")]
    [InlineData("c0 c6000000")]
    [InlineData("c0 ca000000")]
    [InlineData("c0 d401")]
    [InlineData("c0 c70101")]
    public void Refuses_a_value_that_the_input_cuts_short(string hex) => Refuses(MessagePackFault.Truncated, 1, hex, SkipAll);

    [Fact]
    public void Refuses_a_document_that_ends_with_a_container_open()
    {
        static void ReadOneOfTwo(ref MessagePackReader r)
        {
            r.ReadArrayHeader();
            r.Skip();
            r.EnsureEnd();
        }

        Refuses(MessagePackFault.Truncated, 4, "92 a26161", ReadOneOfTwo);
        Refuses(MessagePackFault.TrailingBytes, 2, "92 c0c0", ReadOneOfTwo);
        Accepts("91 c0", ReadOneOfTwo);
    }

    [Theory]
    [InlineData("c0 c1", 1)]
    [InlineData("92 c0 c1", 2)]
    public void Refuses_the_reserved_byte(string hex, int offset)
    {
        Refuses(MessagePackFault.ReservedByte, offset, hex, SkipAll);
        Refuses(MessagePackFault.ReservedByte, 0, "c1", (ref MessagePackReader r) => _ = r.NextMessagePackType);
        Refuses(MessagePackFault.ReservedByte, 0, "c1", (ref MessagePackReader r) => r.TryReadNil());
    }

    [Fact]
    public void Refuses_another_kind_of_value_than_asked_for()
    {
        Refuses(MessagePackFault.UnexpectedType, 0, "c0", (ref MessagePackReader r) => r.ReadString());
        Refuses(MessagePackFault.UnexpectedType, 0, "c0", (ref MessagePackReader r) => r.ReadBytes());
        Refuses(MessagePackFault.UnexpectedType, 0, "c0", (ref MessagePackReader r) => r.ReadArrayHeader());
        Refuses(MessagePackFault.UnexpectedType, 0, "90", (ref MessagePackReader r) => r.ReadMapHeader());
        Refuses(MessagePackFault.UnexpectedType, 0, "01", (ref MessagePackReader r) => r.ReadBoolean());
        Refuses(MessagePackFault.UnexpectedType, 0, "c3", (ref MessagePackReader r) => r.ReadInt64());
        Refuses(MessagePackFault.UnexpectedType, 0, "a131", (ref MessagePackReader r) => r.ReadUInt64());
        Refuses(MessagePackFault.UnexpectedType, 0, "c40161", (ref MessagePackReader r) => r.ReadString());
        Refuses(MessagePackFault.UnexpectedType, 0, "a161", (ref MessagePackReader r) => r.ReadBytes());
        Accepts("a161", (ref MessagePackReader r) => Assert.Equal("a", r.ReadString()));
    }

    [Fact]
    public void Refuses_an_integer_that_does_not_fit()
    {
        Refuses(MessagePackFault.IntegerOutOfRange, 0, "ff", (ref MessagePackReader r) => r.ReadUInt64());
        Refuses(MessagePackFault.IntegerOutOfRange, 0, "ff", (ref MessagePackReader r) => r.ReadUInt32());
        Refuses(MessagePackFault.IntegerOutOfRange, 0, "d3 8000000000000000", (ref MessagePackReader r) => r.ReadUInt64());
        Refuses(MessagePackFault.IntegerOutOfRange, 0, "cf 8000000000000000", (ref MessagePackReader r) => r.ReadInt64());
        Refuses(MessagePackFault.IntegerOutOfRange, 0, "cf ffffffffffffffff", (ref MessagePackReader r) => r.ReadInt32());
        Refuses(MessagePackFault.IntegerOutOfRange, 0, "ce 80000000", (ref MessagePackReader r) => r.ReadInt32());
        Refuses(MessagePackFault.IntegerOutOfRange, 0, "d3 ffffffff7fffffff", (ref MessagePackReader r) => r.ReadInt32());
        Refuses(MessagePackFault.IntegerOutOfRange, 0, "cf 0000000100000000", (ref MessagePackReader r) => r.ReadUInt32());
        Accepts("ce 7fffffff", (ref MessagePackReader r) => Assert.Equal(int.MaxValue, r.ReadInt32()));
        Accepts("d2 80000000", (ref MessagePackReader r) => Assert.Equal(int.MinValue, r.ReadInt32()));
        Accepts("ce ffffffff", (ref MessagePackReader r) => Assert.Equal(uint.MaxValue, r.ReadUInt32()));
    }

    [Theory]
    [InlineData("a1 80")]
    [InlineData("a2 c080")]
    [InlineData("a3 eda080")]
    [InlineData("a2 e282")]
    [InlineData("a4 f4908080")]
    public void Refuses_a_string_that_is_not_utf8(string hex)
    {
        Refuses(MessagePackFault.InvalidUtf8, 0, hex, (ref MessagePackReader r) => r.ReadString());
        Refuses(MessagePackFault.InvalidUtf8, 0, hex, SkipAll);
        Accepts("a3 e2829d", (ref MessagePackReader r) => Assert.Equal("\u209d", r.ReadString()));
    }

    [Fact]
    public void Refuses_a_string_key_that_the_map_already_has_in_whatever_encoding()
    {
        static void ReadMap(ref MessagePackReader r)
        {
            var keys = new MessagePackMapKeys();
            for (var left = r.ReadMapHeader(); left > 0; left--)
            {
                keys.ReadString(ref r);
                r.Skip();
            }
        }

        Refuses(MessagePackFault.DuplicateKey, 7, "83 a16101 a16202 a16103", ReadMap);
        Refuses(MessagePackFault.DuplicateKey, 4, "82 a16101 d9016102", ReadMap);
        Accepts("82 a16101 a14101", ReadMap);
    }

    [Fact]
    public void Refuses_an_integer_key_that_the_map_already_has_in_whatever_encoding()
    {
        static void ReadMap(ref MessagePackReader r)
        {
            var keys = new MessagePackMapKeys();
            for (var left = r.ReadMapHeader(); left > 0; left--)
            {
                keys.ReadUInt64(ref r);
                r.Skip();
            }
        }

        Refuses(MessagePackFault.DuplicateKey, 3, "82 01c0 01c0", ReadMap);
        Refuses(MessagePackFault.DuplicateKey, 3, "82 01c0 d30000000000000001c0", ReadMap);
        Accepts("82 01c0 02c0", ReadMap);
    }

    [Fact]
    public void Shows_a_strangers_key_without_what_a_terminal_would_obey()
    {
        var refused = Assert.Throws<MessagePackFormatException>(() =>
        {
            var reader = new MessagePackReader(Convert.FromHexString("82a41b5b326ac0a41b5b326ac0"), MessagePackLimits.Default);
            var keys = new MessagePackMapKeys();
            reader.ReadMapHeader();
            keys.ReadString(ref reader);
            reader.Skip();
            keys.ReadString(ref reader);
        });
        Assert.Equal("MessagePack refused at byte 7: the map has the key '?[2j' twice", refused.Message);
    }

    [Fact]
    public void Refuses_bytes_behind_the_document()
    {
        static void ReadNil(ref MessagePackReader r)
        {
            r.TryReadNil();
            r.EnsureEnd();
        }

        Refuses(MessagePackFault.TrailingBytes, 1, "c0 c0", ReadNil);
        Accepts("c0", ReadNil);
    }

    [Theory]
    [InlineData("93 c0c0", 0)]
    [InlineData("82 c0c0c0", 0)]
    [InlineData("dd00000002 c0", 0)]
    [InlineData("93 91c0", 0)]
    [InlineData("93 93c0c0c0", 1)]
    [InlineData("92 92c0c0", 1)]
    public void Refuses_a_header_that_claims_more_than_is_left_for_it(string hex, int offset) =>
        Refuses(MessagePackFault.CountBeyondInput, offset, hex, SkipAll);

    [Fact]
    public void Refuses_nesting_beyond_the_limit()
    {
        Refuses(MessagePackFault.TooDeep, 3, "91919190", SkipAll);
        Refuses(MessagePackFault.TooDeep, 3, "91919180", SkipAll);
        Refuses(MessagePackFault.TooDeep, 5, "81c081c091 90", SkipAll);
        Accepts("919190", SkipAll);
        Accepts("92 9190 9190", SkipAll);
    }

    [Fact]
    public void Refuses_a_million_nested_arrays_without_a_deep_stack()
    {
        var hostile = new byte[1_000_000];
        hostile.AsSpan().Fill(0x91);
        var refused = Assert.Throws<MessagePackFormatException>(() =>
        {
            var reader = new MessagePackReader(hostile, MessagePackLimits.Default);
            reader.Skip();
        });
        Assert.Equal(MessagePackFault.TooDeep, refused.Fault);
        Assert.Equal(MessagePackLimits.Default.MaxDepth, refused.Offset);
    }

    [Fact]
    public void Follows_nesting_down_to_the_deepest_limit_there_is_and_no_deeper_limit_is_taken()
    {
        var deepest = Small with { MaxDepth = MessagePackLimits.DeepestSupported };
        var nested = Enumerable.Repeat("91", 63);
        Accepts(string.Concat(nested) + "90", SkipAll, deepest);
        Refuses(MessagePackFault.TooDeep, 64, string.Concat(nested) + "9190", SkipAll, deepest with { MaxInputBytes = 65 });
        Assert.Throws<ArgumentOutOfRangeException>(() => _ = new MessagePackReader([], deepest with { MaxDepth = 65 }));
    }

    [Fact]
    public void Refuses_a_string_longer_than_the_limit()
    {
        Refuses(MessagePackFault.StringTooLong, 0, "a5 6161616161", (ref MessagePackReader r) => r.ReadString());
        Refuses(MessagePackFault.StringTooLong, 0, "db ffffffff", SkipAll);
        Accepts("a4 61616161", SkipAll);
    }

    [Theory]
    [InlineData("c405 0000000000")]
    [InlineData("c6 ffffffff")]
    [InlineData("c704 0100000000")]
    [InlineData("d7 010000000000000000")]
    [InlineData("c9 ffffffff")]
    public void Refuses_binary_or_an_extension_longer_than_the_limit(string hex)
    {
        Refuses(MessagePackFault.BinaryTooLong, 0, hex, SkipAll);
        Accepts("c404 00000000", SkipAll);
        Accepts("c703 01000000", SkipAll);
    }

    [Fact]
    public void Refuses_a_container_with_more_elements_than_the_limit()
    {
        Refuses(MessagePackFault.TooManyElements, 0, "94 c0c0c0c0", SkipAll);
        Refuses(MessagePackFault.TooManyElements, 0, "84 c0c0c0c0c0c0c0c0", SkipAll);
        Refuses(MessagePackFault.TooManyElements, 0, "dd ffffffff", SkipAll);
        Refuses(MessagePackFault.TooManyElements, 0, "df ffffffff", SkipAll);
        Accepts("93 c0c0c0", SkipAll);
        Accepts("83 c0c0c0c0c0c0", SkipAll);
    }

    [Fact]
    public void Refuses_an_input_longer_than_the_limit()
    {
        Refuses(MessagePackFault.InputTooLarge, 0, "c0c0", SkipAll, Small with { MaxInputBytes = 1 });
        Accepts("c0", SkipAll, Small with { MaxInputBytes = 1 });
    }

    [Theory]
    [InlineData("a0")]
    [InlineData("c400")]
    [InlineData("90")]
    public void A_negative_limit_accepts_nothing_instead_of_everything(string hex) =>
        Assert.Throws<MessagePackFormatException>(() =>
        {
            var reader = new MessagePackReader(Convert.FromHexString(hex), new MessagePackLimits(8, -1, -1, -1, 64));
            reader.Skip();
        });

    private static void Refuses(MessagePackFault fault, long offset, string hex, Read read, MessagePackLimits? limits = null)
    {
        var bytes = Bytes(hex);
        var refused = Assert.Throws<MessagePackFormatException>(() =>
        {
            var reader = new MessagePackReader(bytes, limits ?? Small);
            read(ref reader);
        });
        Assert.Equal((fault, offset), (refused.Fault, refused.Offset));
        Assert.StartsWith($"MessagePack refused at byte {offset}: ", refused.Message);
        Assert.Equal(fault >= MessagePackFault.TooDeep ? ErrorCode.TooLarge : ErrorCode.Malformed, refused.Code);
    }

    private static void Accepts(string hex, Read read, MessagePackLimits? limits = null)
    {
        var reader = new MessagePackReader(Bytes(hex), limits ?? Small);
        read(ref reader);
        Assert.True(reader.End);
        Assert.Equal(0, reader.Depth);
    }

    private static byte[] Bytes(string hex) => Convert.FromHexString(hex.Replace(" ", ""));
}
