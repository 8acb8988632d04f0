using System.Buffers.Binary;
using Migrate.Model.Errors;
using Migrate.Transfer.Wire;

namespace Migrate.Tests.Transfer.Wire;

public class PreambleTests
{
    [Theory, InlineData(StreamPurpose.Transfer), InlineData(StreamPurpose.Machine), InlineData(StreamPurpose.Snapshot)]
    public void Reads_what_it_wrote(StreamPurpose purpose)
    {
        Assert.Equal(Preamble.For(purpose), Preamble.Read(Bytes(Preamble.For(purpose)), purpose, "a peer"));
    }

    [Fact]
    public void Refuses_every_single_flipped_bit()
    {
        var bytes = Bytes(Preamble.For(StreamPurpose.Transfer));
        for (var bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << bit % 8);
            Assert.Throws<MigrateException>(() => Preamble.Read(bytes, StreamPurpose.Transfer, "a peer"));
            bytes[bit / 8] ^= (byte)(1 << bit % 8);
        }
    }

    [Fact]
    public void Refuses_another_version_by_number()
    {
        var error = Refused(Preamble.For(StreamPurpose.Transfer) with { Version = 2 });
        Assert.Equal(ErrorCode.Unsupported, error.Code);
        Assert.Contains("version 2", error.Message);
    }

    [Fact]
    public void Refuses_a_stream_at_the_wrong_door_by_name()
    {
        Assert.Contains("a machine socket, not a migration stream", Refused(Preamble.For(StreamPurpose.Machine)).Message);
        Assert.Contains("unknown purpose 77", Refused(Preamble.For((StreamPurpose)77)).Message);
    }

    [Fact]
    public void Refuses_TLS_while_there_is_none() =>
        Assert.Contains("TLS", Refused(Preamble.For(StreamPurpose.Transfer) with { Flags = Preamble.Tls }).Message);

    [Fact]
    public void Refuses_a_flag_that_must_be_understood_and_ignores_one_that_need_not()
    {
        Assert.Contains("0x8000", Refused(Preamble.For(StreamPurpose.Transfer) with { Flags = 0x8000 }).Message);
        var ignored = Preamble.For(StreamPurpose.Transfer) with { Flags = 0x10000 };
        Assert.Equal(ignored, Preamble.Read(Bytes(ignored), StreamPurpose.Transfer, "a peer"));
    }

    [Theory, InlineData(0u), InlineData(23u), InlineData(4097u), InlineData(uint.MaxValue)]
    public void Refuses_a_length_that_cannot_be(uint length) =>
        Assert.Contains("claims", Refused(Preamble.For(StreamPurpose.Transfer) with { Length = length }).Message);

    [Fact]
    public void Skips_what_a_longer_preamble_appends()
    {
        byte[] longer = [.. Bytes(Preamble.For(StreamPurpose.Transfer) with { Length = 1000 }), .. new byte[976], .. FrameBytes.Of(FrameKind.Done)];
        var channel = new FrameChannel(new ScriptedStream(longer), StreamPurpose.Transfer);
        channel.ReadPreamble();
        channel.Expect(FrameKind.Done);
    }

    [Fact]
    public void Two_sides_that_speak_the_same_agree_and_others_do_not()
    {
        var (first, second) = MemoryDuplex.Create();
        var other = OtherSide.Run(() => new FrameChannel(second, StreamPurpose.Transfer).ExchangePreambles());
        new FrameChannel(first, StreamPurpose.Transfer).ExchangePreambles();
        other.Join();

        (first, second) = MemoryDuplex.Create();
        var machine = OtherSide.Run(() => new FrameChannel(second, StreamPurpose.Machine).ExchangePreambles());
        Assert.Throws<MigrateException>(() => new FrameChannel(first, StreamPurpose.Transfer).ExchangePreambles());
        Assert.Throws<MigrateException>(machine.Join);
    }

    [Fact]
    public void A_preamble_cut_at_any_byte_is_a_lost_peer()
    {
        var whole = Bytes(Preamble.For(StreamPurpose.Transfer));
        for (var length = 0; length < whole.Length; length++)
        {
            var channel = new FrameChannel(new ScriptedStream(whole[..length]), StreamPurpose.Transfer);
            Assert.Equal(ErrorCode.PeerLost, Assert.ThrowsAny<MigrateException>(channel.ReadPreamble).Code);
            Assert.True(channel.IsBroken);
        }
    }

    [Fact]
    public void Has_the_layout_of_the_document()
    {
        var bytes = Bytes(Preamble.For(StreamPurpose.Machine));
        Assert.Equal("8a564d4d0d0a1a0a", Convert.ToHexStringLower(bytes[..8]));
        Assert.Equal("010002000000000018000000", Convert.ToHexStringLower(bytes[8..20]));
        Assert.Equal(Crc32C.Of(bytes[..20]), BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(20)));
    }

    private static MigrateException Refused(Preamble preamble) =>
        Assert.Throws<MigrateException>(() => Preamble.Read(Bytes(preamble), StreamPurpose.Transfer, "a peer"));

    private static byte[] Bytes(Preamble preamble)
    {
        var bytes = new byte[Preamble.Size];
        preamble.CopyTo(bytes);
        return bytes;
    }
}
