using System.Runtime.InteropServices;
using Migrate.Linux.Memory;
using Migrate.Linux.Sockets;
using Migrate.Model.Encoding;
using Migrate.Model.Errors;
using Migrate.Model.Machines;
using Migrate.Tests.Transfer.Wire;
using Migrate.Transfer.Machines;
using Migrate.Transfer.Wire;

namespace Migrate.Tests.Transfer.Machines;

/// <summary>A machine's process that lies: the client believes nothing that it has not checked.</summary>
public sealed class HostileServerTests
{
    private static readonly MemorySlot OneSlot = new(0, 0, 10 * 4096);

    [Fact]
    public void The_truth_is_believed()
    {
        var result = Open(new SessionOpened(4096, 1, true), (new MemoryReply(0, 1, [OneSlot]), [10 * 4096]), bitmapBytes: 8);
        Assert.Null(result);
    }

    [Theory, InlineData(0), InlineData(8192), InlineData(-4096), InlineData(65536), InlineData(int.MaxValue)]
    public void A_page_size_that_cannot_be_is_refused(int pageSize) =>
        Assert.Contains("page", Refused(new SessionOpened(pageSize, 1, true), (new MemoryReply(0, 1, [OneSlot]), [10 * 4096]), 8).Message);

    [Fact]
    public void A_bitmap_smaller_than_the_memory_needs_is_refused_before_it_is_mapped()
    {
        var slot = OneSlot with { Size = 10_000 * 4096 };
        Assert.Equal(ErrorCode.Refused, Refused(new SessionOpened(4096, 1, true), (new MemoryReply(0, 1, [slot]), [10_000 * 4096]), 8).Code);
    }

    [Fact]
    public void Memory_smaller_than_claimed_is_refused_before_it_is_mapped() =>
        Assert.Equal(ErrorCode.Refused, Refused(new SessionOpened(4096, 1, true), (new MemoryReply(0, 1, [OneSlot]), [9 * 4096]), 8).Code);

    public static TheoryData<int, int, int, int> WrongCounts => new()
    {
        { 1, 1, 1, 0 }, { 1, 1, 0, 1 }, { 1, 1, 0, 0 }, { 1, 2, 1, 1 }, { 2, 1, 1, 1 }, { -1, -1, 1, 1 }, { 513, 513, 1, 1 }, { 1, 1, 2, 2 }, { 0, 0, 1, 1 },
    };

    [Theory, MemberData(nameof(WrongCounts))]
    public void Counts_that_do_not_fit_together_are_refused(int opened, int total, int slots, int descriptors)
    {
        var reply = new MemoryReply(0, total, [.. Enumerable.Range(0, slots).Select(i => OneSlot with { Slot = i })]);
        Refused(new SessionOpened(4096, opened, true), (reply, [.. Enumerable.Repeat(10L * 4096, descriptors)]), 8);
    }

    [Fact]
    public void A_slot_that_comes_twice_is_refused() =>
        Refused(new SessionOpened(4096, 2, true), (new MemoryReply(0, 2, [OneSlot, OneSlot]), [10 * 4096, 10 * 4096]), 8);

    [Fact]
    public void A_collection_out_of_turn_is_refused()
    {
        foreach (var epoch in new long[] { 0, 2, -1, long.MaxValue })
        {
            var error = WithServer(
                channel => Collected(channel, epoch),
                client =>
                {
                    using var session = client.OpenSource();
                    session.Collect(session.NewBitmap());
                });
            Assert.Equal(ErrorCode.Protocol, error!.Code);
        }
        Assert.Null(WithServer(channel => Collected(channel, 1), client =>
        {
            using var session = client.OpenSource();
            Assert.Equal(0, session.Collect(session.NewBitmap()).Pages);
        }));
    }

    [Fact]
    public void Bits_beyond_the_last_page_mean_nothing()
    {
        Assert.Null(WithServer(
            channel => Collected(channel, 1, ulong.MaxValue),
            client =>
            {
                using var session = client.OpenSource();
                var bitmap = session.NewBitmap();
                Assert.Equal(10, session.Collect(bitmap).Pages);
                Assert.Equal(0x3ffUL, bitmap.Slot(0)[0]);
            }));
    }

    [Fact]
    public void Mutated_answers_end_in_a_typed_error()
    {
        byte[] valid =
        [
            .. FrameBytes.Preamble(StreamPurpose.Machine),
            .. FrameBytes.Of(FrameKind.MachineStatus, MachineMessages.Status, new MachineStatus { Name = "m", Pid = 1, State = LifecycleState.Running, Counters = [KeyValuePair.Create("a", 1UL)] }),
            .. FrameBytes.Of(FrameKind.MachineReport, Documents.MachineReport, new Migrate.Model.Ports.MachineReport { State = Machines.State(Machines.Description()), PageSize = 4096 }),
            .. FrameBytes.Of(FrameKind.SessionOpened, MachineMessages.SessionOpened, new SessionOpened(4096, 1, true)),
            .. FrameBytes.Of(FrameKind.Error, ErrorMessage.Shape, ErrorMessage.Of(new MigrateException(ErrorCode.Busy, "held"))),
        ];
        var random = new Random(31);
        var refused = 0;
        const int cases = 20_000;
        for (var i = 0; i < cases; i++)
        {
            var channel = new FrameChannel(new ScriptedSocket(Mutations.Of(valid, random, bytes => Mutations.FixFrames(bytes, Preamble.Size))), StreamPurpose.Machine);
            using var client = new MachineClient(channel, "a script");
            try
            {
                channel.ReadPreamble();
                client.Status();
                client.Describe();
                client.OpenSource();
            }
            catch (MigrateException)
            {
                refused++;
            }
        }
        Assert.Equal(cases, refused);
    }

    private static MigrateException Refused(SessionOpened opened, (MemoryReply Reply, long[] Sizes) memory, long bitmapBytes) =>
        Open(opened, memory, bitmapBytes) ?? throw new InvalidOperationException("it was believed");

    /// <summary>Serves one opening of a source session; what the client threw.</summary>
    private static MigrateException? Open(SessionOpened opened, (MemoryReply Reply, long[] Sizes) memory, long bitmapBytes) => WithServer(
        channel => Opened(channel, opened, memory, bitmapBytes),
        client => client.OpenSource().Dispose());

    private static void Opened(FrameChannel channel, SessionOpened opened, (MemoryReply Reply, long[] Sizes) memory, long bitmapBytes, ulong firstWord = 0)
    {
        using var bitmap = MemFd.Create("bitmap", bitmapBytes);
        if (firstWord != 0)
        {
            using var mapping = bitmap.Map(MappingAccess.ReadWrite);
            MemoryMarshal.Write(mapping.Slice(0, 8), firstWord);
        }
        channel.Expect(FrameKind.OpenSource);
        channel.Send(FrameKind.SessionOpened, MachineMessages.SessionOpened, opened, [bitmap]);
        channel.Expect(FrameKind.GetMemory, MachineMessages.FirstSlot);
        SafeHandle[] files = [.. memory.Sizes.Select((size, i) => MemFd.Create($"slot-{i}", size))];
        channel.Send(FrameKind.Memory, MachineMessages.Memory, memory.Reply, files);
        foreach (var file in files) file.Dispose();
    }

    private static void Collected(FrameChannel channel, long epoch, ulong firstWord = 0)
    {
        Opened(channel, new SessionOpened(4096, 1, true), (new MemoryReply(0, 1, [OneSlot]), [10 * 4096]), 8, firstWord);
        channel.Expect(FrameKind.Collect, MachineMessages.Consumed);
        channel.Send(FrameKind.Collected, MachineMessages.Collected, new CollectReply(epoch, 0));
    }

    private static MigrateException? WithServer(Action<FrameChannel> serve, Action<MachineClient> act)
    {
        var (first, second) = UnixSocket.Pair();
        var server = OtherSide.Run(() =>
        {
            using var channel = new FrameChannel(new UnixByteStream(second), StreamPurpose.Machine);
            try
            {
                serve(channel);
                channel.Expect(FrameKind.CloseSession);
                channel.Send(FrameKind.Done);
            }
            catch (MigrateException)
            {
                // The client saw through it and left.
            }
        });
        MigrateException? error = null;
        using (var client = new MachineClient(new FrameChannel(new UnixByteStream(first), StreamPurpose.Machine), "a liar"))
        {
            try
            {
                act(client);
            }
            catch (MigrateException e)
            {
                error = e;
            }
        }
        server.Join();
        return error;
    }
}
