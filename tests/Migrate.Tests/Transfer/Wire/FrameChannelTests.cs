using System.Net;
using Migrate.Linux.Sockets;
using Migrate.Model.Encoding;
using Migrate.Model.Errors;
using Migrate.Transfer.Wire;

namespace Migrate.Tests.Transfer.Wire;

public class FrameChannelTests
{
    private static readonly Shape<string> Text = Shapes.Text;

    [Fact]
    public void A_structured_frame_arrives_as_it_was_sent()
    {
        var (first, second) = Channels();
        first.Send(FrameKind.Hello, Text, "one");
        first.Send(FrameKind.Done);
        first.Send(FrameKind.Start, Text, "three");
        Assert.Equal("one", second.Expect(FrameKind.Hello, Text));
        second.Expect(FrameKind.Done);
        Assert.Equal("three", second.Expect(FrameKind.Start, Text));
        Assert.Equal(first.BytesSent, second.BytesReceived);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_peer_that_left_before_the_first_byte_is_heard_if_it_said_why(bool saidWhy)
    {
        var (door, visitor) = UnixSocket.Pair();
        using var channel = new FrameChannel(new UnixByteStream(visitor), StreamPurpose.Machine);
        using (var turningAway = new FrameChannel(new UnixByteStream(door), StreamPurpose.Machine))
        {
            turningAway.WritePreamble();
            if (saidWhy) turningAway.SendError(new MigrateException(ErrorCode.Busy, "full"));
        }
        var error = Assert.ThrowsAny<MigrateException>(channel.ExchangePreambles);
        Assert.Equal(saidWhy ? ErrorCode.Busy : ErrorCode.PeerLost, error.Code);
    }

    [Fact]
    public void Another_frame_than_the_expected_one_is_refused_by_name()
    {
        var (first, second) = Channels();
        first.Send(FrameKind.Hello, Text, "one");
        var error = Assert.Throws<MigrateException>(() => second.Expect(FrameKind.Start, Text));
        Assert.Equal(ErrorCode.Protocol, error.Code);
        Assert.Contains("hello (0x0201) where start (0x020a)", error.Message);
        Assert.Throws<MigrateException>(() => second.Expect(FrameKind.Hello, Text));
    }

    [Fact]
    public void An_unknown_required_frame_is_refused_by_number()
    {
        var channel = Reading(FrameBytes.Of((FrameKind)0x7777, [1, 2, 3]));
        var error = Assert.Throws<MigrateException>(() => channel.ReceiveHeader());
        Assert.Equal(ErrorCode.Unsupported, error.Code);
        Assert.Contains("0x7777", error.Message);
    }

    [Fact]
    public void An_unknown_optional_frame_is_skipped()
    {
        var channel = Reading([.. FrameBytes.Of((FrameKind)0x7777, new byte[5000], FrameFlags.Optional), .. FrameBytes.Of(FrameKind.Done)]);
        channel.Expect(FrameKind.Done);
        Assert.Equal(FrameHeader.Size * 2 + 5000, channel.BytesReceived);
    }

    [Fact]
    public void An_unknown_optional_frame_is_not_skipped_without_end()
    {
        var header = new FrameHeader((FrameKind)0x7777, FrameFlags.Optional, 0, FrameTable.MaxSkipped + 1, 0);
        Assert.Equal(ErrorCode.TooLarge, Assert.Throws<MigrateException>(() => Reading(FrameBytes.Header(header)).ReceiveHeader()).Code);
    }

    [Fact]
    public void A_sign_of_life_is_no_answer()
    {
        var (first, second) = Channels();
        first.Send(FrameKind.Alive);
        first.Send(FrameKind.Alive);
        first.Send(FrameKind.Done);
        second.Expect(FrameKind.Done);
    }

    [Fact]
    public void Kind_zero_is_never_accepted() =>
        Assert.Contains("kind 0", Assert.Throws<MigrateException>(() => Reading(FrameBytes.Of(FrameKind.Invalid, flags: FrameFlags.Optional)).ReceiveHeader()).Message);

    [Theory, InlineData(2), InlineData(0x8000)]
    public void Reserved_flags_are_refused(int flags) =>
        Assert.Contains("reserved", Assert.Throws<MigrateException>(() => Reading(FrameBytes.Of(FrameKind.Done, flags: (FrameFlags)flags)).ReceiveHeader()).Message);

    [Fact]
    public void The_longest_payload_of_every_kind_is_taken_and_one_byte_more_is_not()
    {
        foreach (var rule in FrameTable.All)
        {
            var longest = new FrameHeader(rule.Kind, FrameFlags.None, 0, rule.MaxPayload, 7);
            Assert.Equal(longest, FrameHeader.Read(FrameBytes.Header(longest), "a peer", 0, out var known));
            Assert.True(known);
            var error = Assert.Throws<MigrateException>(() => FrameHeader.Read(FrameBytes.Header(longest with { Length = rule.MaxPayload + 1 }), "a peer", 0, out _));
            Assert.Equal(ErrorCode.TooLarge, error.Code);
            Assert.Contains(rule.Name, error.Message);
        }
        Assert.NotEmpty(FrameTable.All);
    }

    [Fact]
    public void A_length_that_would_be_negative_is_too_large()
    {
        var header = new FrameHeader(FrameKind.Hello, FrameFlags.None, 0, -1, 0);
        Assert.Equal(ErrorCode.TooLarge, Assert.Throws<MigrateException>(() => Reading(FrameBytes.Header(header)).ReceiveHeader()).Code);
    }

    [Fact]
    public void Nothing_is_sent_of_a_frame_that_is_too_long()
    {
        var stream = new ScriptedStream([]);
        var channel = new FrameChannel(stream, StreamPurpose.Transfer);
        Assert.Equal(ErrorCode.TooLarge, Assert.Throws<MigrateException>(() => channel.SendEncoded(FrameKind.Hello, new byte[20 << 10])).Code);
        Assert.Empty(stream.Written);
        channel.Send(FrameKind.Done);
    }

    [Fact]
    public void Every_single_flipped_bit_of_a_frame_is_seen()
    {
        var frame = FrameBytes.Of(FrameKind.Hello, Text, "some words");
        for (var bit = 0; bit < frame.Length * 8; bit++)
        {
            frame[bit / 8] ^= (byte)(1 << bit % 8);
            Assert.ThrowsAny<MigrateException>(() => Reading(frame).Expect(FrameKind.Hello, Text));
            frame[bit / 8] ^= (byte)(1 << bit % 8);
        }
        Assert.Equal("some words", Reading(frame).Expect(FrameKind.Hello, Text));
    }

    [Fact]
    public void A_frame_cut_at_any_byte_is_a_lost_peer()
    {
        var frame = FrameBytes.Of(FrameKind.Hello, Text, "some words");
        for (var length = 0; length < frame.Length; length++)
        {
            var channel = Reading(frame[..length]);
            Assert.Equal(ErrorCode.PeerLost, Assert.ThrowsAny<MigrateException>(() => channel.Expect(FrameKind.Hello, Text)).Code);
            Assert.True(channel.IsBroken);
        }
    }

    [Fact]
    public void A_frame_that_comes_byte_by_byte_is_the_same_frame()
    {
        var (raw, socket) = UnixSocket.Pair();
        using var channel = new FrameChannel(new UnixByteStream(socket), StreamPurpose.Transfer);
        byte[] bytes = [.. FrameBytes.Preamble(StreamPurpose.Transfer), .. FrameBytes.Of(FrameKind.Hello, Text, "some words")];
        var sender = OtherSide.Run(() =>
        {
            foreach (var b in bytes)
            {
                raw.SendAll([b]);
                Thread.Yield();
            }
        });
        channel.ReadPreamble();
        Assert.Equal("some words", channel.Expect(FrameKind.Hello, Text));
        sender.Join();
        raw.Dispose();
    }

    [Fact]
    public void Frames_cross_TCP_and_small_ones_leave_at_once()
    {
        using var listener = TcpListenerSocket.Listen(new IPEndPoint(IPAddress.Loopback, 0));
        TcpConnection? accepted = null;
        var other = OtherSide.Run(() => accepted = listener.Accept(TimeSpan.FromSeconds(30)));
        var connection = TcpConnection.Connect("127.0.0.1", listener.LocalEndPoint.Port, TimeSpan.FromSeconds(30));
        other.Join();
        using var sending = new FrameChannel(new TcpByteStream(connection), StreamPurpose.Transfer);
        using var receiving = new FrameChannel(new TcpByteStream(accepted!), StreamPurpose.Transfer);
        Assert.True(connection.NoDelay && accepted!.NoDelay);
        sending.Send(FrameKind.Hello, Text, "over TCP");
        Assert.Equal("over TCP", receiving.Expect(FrameKind.Hello, Text));
        sending.Abort();
        Assert.Equal(ErrorCode.PeerLost, Assert.ThrowsAny<MigrateException>(() => receiving.Receive()).Code);
        Assert.Equal(ErrorCode.PeerLost, Assert.ThrowsAny<MigrateException>(() => sending.Send(FrameKind.Done)).Code);
    }

    [Fact]
    public void A_silent_peer_is_a_timeout()
    {
        var (raw, socket) = UnixSocket.Pair();
        using var channel = new FrameChannel(new UnixByteStream(socket), StreamPurpose.Transfer) { IdleTimeout = TimeSpan.FromMilliseconds(1) };
        Assert.Equal(ErrorCode.TimedOut, Assert.ThrowsAny<MigrateException>(() => channel.Receive()).Code);
        raw.Dispose();
    }

    [Fact]
    public void Memory_grows_with_what_came_and_not_with_what_was_promised()
    {
        var header = new FrameHeader(FrameKind.Final, FrameFlags.None, 0, FrameTable.Of(FrameKind.Final).MaxPayload, 0);
        byte[] script = [.. FrameBytes.Header(header), .. new byte[1000]];
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.ThrowsAny<MigrateException>(() => Reading(script).Receive());
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 256 << 10);
    }

    [Fact]
    public void A_page_frame_where_none_belongs_is_refused()
    {
        var channel = Reading(FrameBytes.Of(FrameKind.ZeroPages, new byte[24]));
        Assert.Contains("no pages were expected", Assert.Throws<MigrateException>(() => channel.Receive()).Message);
    }

    [Fact]
    public void An_error_crosses_the_wire_with_all_that_it_knew()
    {
        var (first, second) = Channels();
        first.SendError(new MigrateException(ErrorCode.NotConverging, "too many writes")
        {
            Stage = Stage.PreCopy,
            IsTransient = true,
            SourceRuns = true,
            Remedy = "Give it more time.",
        });
        first.Send(FrameKind.Done);
        var error = Assert.Throws<PeerErrorException>(() => second.Expect(FrameKind.Hello, Text));
        Assert.Equal((ErrorCode.NotConverging, Stage.PreCopy, true, true, "Give it more time."), (error.Code, error.Stage, error.IsTransient, error.SourceRuns, error.Remedy));
        Assert.Equal("too many writes", error.Reason);
        Assert.StartsWith("the first: ", error.Message);
        second.Expect(FrameKind.Done);
    }

    [Fact]
    public void An_error_passed_on_names_no_peer_twice()
    {
        var (first, second) = Channels();
        first.SendError(new MigrateException(ErrorCode.Busy, "held"));
        var error = Assert.Throws<PeerErrorException>(() => second.Receive());
        second.SendError(error);
        Assert.Equal("held", Assert.Throws<PeerErrorException>(() => first.Receive()).Reason);
    }

    [Fact]
    public void An_error_text_with_control_characters_or_without_end_is_made_one_bounded_line()
    {
        var (first, second) = Channels();
        first.SendError(new MigrateException(ErrorCode.Refused, "\u001b[2Jboo\n" + new string('x', 100_000)));
        var error = Assert.Throws<PeerErrorException>(() => second.Receive());
        Assert.DoesNotContain(error.Message, char.IsControl);
        Assert.InRange(error.Message.Length, 1000, 4000);
    }

    [Fact]
    public void An_error_code_of_a_later_version_is_still_an_error()
    {
        var channel = Reading(FrameBytes.Of(FrameKind.Error, ErrorMessage.Shape, new ErrorMessage { Code = 999, Stage = 77, Message = "new" }));
        var error = Assert.Throws<PeerErrorException>(() => channel.Receive());
        Assert.Equal((ErrorCode.Protocol, Stage.None, "new"), (error.Code, error.Stage, error.Reason));
    }

    [Fact]
    public void Descriptors_are_refused_where_none_can_travel()
    {
        var channel = Reading(FrameBytes.Of(FrameKind.Memory, [1, 2], descriptors: 1));
        Assert.Contains("cannot travel", Assert.Throws<MigrateException>(() => channel.Receive(new Migrate.Linux.FileDescriptor?[32], out _)).Message);
        Assert.Throws<MigrateException>(() => Reading(FrameBytes.Of(FrameKind.Hello, [1], descriptors: 1)).ReceiveHeader());
        Assert.Throws<MigrateException>(() => Reading(FrameBytes.Of(FrameKind.Memory, [1], descriptors: 33)).ReceiveHeader());
        Assert.Throws<MigrateException>(() => Reading(FrameBytes.Of(FrameKind.Memory, [], descriptors: 1)).ReceiveHeader());
    }

    [Fact]
    public void Frames_in_a_file_are_read_back_and_a_cut_file_says_where()
    {
        var path = Path.Combine(Path.GetTempPath(), $"vmmigrate-frames-{Guid.NewGuid():n}");
        try
        {
            using (var writing = new FrameChannel(new FileByteStream(File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write), path), StreamPurpose.Snapshot))
            {
                writing.WritePreamble();
                writing.Send(FrameKind.Hello, Text, "in a file");
            }
            using (var reading = new FrameChannel(new FileByteStream(File.OpenHandle(path), path), StreamPurpose.Snapshot))
            {
                reading.ReadPreamble();
                Assert.Equal("in a file", reading.Expect(FrameKind.Hello, Text));
                var end = Assert.Throws<MigrateException>(() => reading.Receive());
                Assert.Equal(ErrorCode.Malformed, end.Code);
                Assert.Contains($"{path} ends at offset {new FileInfo(path).Length}", end.Message);
            }
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Mutated_streams_end_in_one_typed_error_and_bounded_memory()
    {
        byte[] valid =
        [
            .. FrameBytes.Preamble(StreamPurpose.Transfer), .. FrameBytes.Of(FrameKind.Hello, Text, "some words"), .. FrameBytes.Of(FrameKind.Done),
            .. FrameBytes.Of((FrameKind)0x7000, new byte[40], FrameFlags.Optional), .. FrameBytes.Of(FrameKind.Start, Text, new string('x', 300)),
        ];
        var random = new Random(11);
        var refused = 0;
        var before = GC.GetAllocatedBytesForCurrentThread();
        const int cases = 20_000;
        for (var i = 0; i < cases; i++)
        {
            var mutated = Mutations.Of(valid, random, FixChecksums);
            var channel = new FrameChannel(new ScriptedStream(mutated), StreamPurpose.Transfer);
            try
            {
                channel.ReadPreamble();
                while (true)
                {
                    var frame = channel.Receive();
                    if (frame.Kind != FrameKind.Done) frame.Decode(Text);
                }
            }
            catch (MigrateException e)
            {
                Assert.DoesNotContain(e.Message, char.IsControl);
                refused++;
            }
            channel.Dispose();
        }
        Assert.Equal(cases, refused);
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / cases, 0, 64 << 10);
    }

    /// <summary>Half of the mutants get right checksums again, or nothing behind a header would ever be reached.</summary>
    private static void FixChecksums(byte[] bytes) => Mutations.FixFrames(bytes, Preamble.Size);

    private static FrameChannel Reading(byte[] script) => new(new ScriptedStream(script), StreamPurpose.Transfer);

    private static (FrameChannel First, FrameChannel Second) Channels()
    {
        var (first, second) = MemoryDuplex.Create();
        return (new FrameChannel(first, StreamPurpose.Transfer), new FrameChannel(second, StreamPurpose.Transfer));
    }
}
