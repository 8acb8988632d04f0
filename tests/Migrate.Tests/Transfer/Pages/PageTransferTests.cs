using Migrate.Linux.Sockets;
using Migrate.Model.Errors;
using Migrate.Model.Machines;
using Migrate.Tests.Transfer.Wire;
using Migrate.Transfer.Pages;
using Migrate.Transfer.Wire;

namespace Migrate.Tests.Transfer.Pages;

public sealed class PageTransferTests
{
    private const int PageSize = 4096;

    public static TheoryData<int> PageSizesOfHosts => [4096, 16384, 65536];

    [Theory, MemberData(nameof(PageSizesOfHosts))]
    public void Every_set_page_arrives_over_a_real_socket_and_no_other(int pageSize)
    {
        var slots = new[] { new MemorySlot(3, 0, 70UL * (ulong)pageSize), new MemorySlot(1, 1UL << 32, 5UL * (ulong)pageSize) };
        using var source = GuestMemories.Create(slots);
        using var destination = GuestMemories.Create(slots);
        var bitmap = new DirtyBitmap(slots, pageSize);
        var random = new Random(pageSize);
        var expected = 0L;
        for (var slot = 0; slot < slots.Length; slot++)
            for (var page = 0; page < (int)(slots[slot].Size / (ulong)pageSize); page++)
            {
                if (random.Next(3) == 0) continue;
                random.NextBytes(source.Page(slot, page, pageSize));
                if (random.Next(3) == 0)
                {
                    // Written and not marked: must not arrive.
                    source.Page(slot, page, pageSize).CopyTo(destination.Page(slot, page, pageSize));
                    destination.Page(slot, page, pageSize)[0] ^= 0xff;
                    continue;
                }
                bitmap.Slot(slot)[page / 64] |= 1UL << page % 64;
                expected++;
            }

        var (sent, received) = Transfer(source, destination, bitmap, pageSize, firstRound: false);
        Assert.Equal(expected, sent.Pages);
        Assert.Equal(sent, received);
        for (var slot = 0; slot < slots.Length; slot++)
            for (var page = 0; page < (int)(slots[slot].Size / (ulong)pageSize); page++)
            {
                var same = source.Page(slot, page, pageSize).SequenceEqual(destination.Page(slot, page, pageSize));
                var marked = (bitmap.Slot(slot)[page / 64] >> page % 64 & 1) != 0;
                if (marked) Assert.True(same);
                else if (source.Page(slot, page, pageSize).ContainsAnyExcept((byte)0)) Assert.False(same);
            }
    }

    [Fact]
    public void Zero_pages_and_holes_are_left_out_of_the_first_round()
    {
        using var source = GuestMemories.OneSlot(100, PageSize);
        using var destination = GuestMemories.OneSlot(100, PageSize);
        source.Page(0, 7, PageSize)[PageSize - 1] = 1;
        source.Page(0, 8, PageSize).Clear();
        source.Page(0, 63, PageSize)[0] = 2;
        source.Page(0, 99, PageSize)[2000] = 3;
        var bitmap = All(source);
        var (sent, _) = Transfer(source, destination, bitmap, PageSize, firstRound: true);
        Assert.Equal((3, 97), (sent.Pages, sent.ZeroPages));
        // In this order: reading a hole through a mapping fills it.
        Assert.Equal(3 * PageSize, GuestMemories.Populated(destination.Slots[0].File));
        GuestMemories.AssertSame(source, destination);
    }

    [Fact]
    public void The_first_round_does_not_touch_holes_of_the_source()
    {
        using var source = GuestMemories.OneSlot(1000, PageSize);
        source.Page(0, 500, PageSize)[0] = 1;
        var sender = new PageSender(new FrameChannel(new CountingStream(), StreamPurpose.Transfer), source, PageSize);
        var counts = sender.Send(0, All(source).Slot(0), firstRound: true, TestContext.Current.CancellationToken);
        Assert.Equal((1, 999), (counts.Pages, counts.ZeroPages));
        Assert.Equal(PageSize, GuestMemories.Populated(source.Slots[0].File));
    }

    [Fact]
    public void A_page_that_became_zero_is_cleared_at_the_destination_and_takes_no_room_there()
    {
        using var source = GuestMemories.OneSlot(64, PageSize);
        using var destination = GuestMemories.OneSlot(64, PageSize);
        for (var page = 0; page < 64; page++) destination.Page(0, page, PageSize).Fill(9);
        source.Page(0, 5, PageSize).Fill(1);
        var (sent, received) = Transfer(source, destination, All(source), PageSize, firstRound: false);
        Assert.Equal((1, 63), (sent.Pages, sent.ZeroPages));
        Assert.Equal(sent, received);
        Assert.Equal(PageSize, GuestMemories.Populated(destination.Slots[0].File));
        GuestMemories.AssertSame(source, destination);
    }

    [Fact]
    public void A_page_of_the_session_that_is_smaller_than_the_hosts_is_cleared_alone()
    {
        // 4 KiB pages within what would be one page of a 64 KiB host: the neighbours stay.
        using var source = GuestMemories.OneSlot(16, PageSize);
        using var destination = GuestMemories.OneSlot(16, PageSize);
        for (var page = 0; page < 16; page++) destination.Page(0, page, PageSize).Fill(9);
        var bitmap = new DirtyBitmap([source.Slots[0].Slot], PageSize);
        bitmap.Slot(0)[0] = 1 << 3;
        Transfer(source, destination, bitmap, PageSize, firstRound: false);
        for (var page = 0; page < 16; page++) Assert.Equal(page != 3, destination.Page(0, page, PageSize).ContainsAnyExcept((byte)0));
    }

    [Fact]
    public void A_single_set_byte_anywhere_makes_a_page_not_zero()
    {
        using var memory = GuestMemories.OneSlot(1, PageSize);
        var page = memory.Page(0, 0, PageSize);
        Assert.True(IsZero(memory));
        for (var at = 0; at < PageSize; at++)
        {
            page[at] = 0x80;
            Assert.False(IsZero(memory));
            page[at] = 0;
        }
    }

    [Fact]
    public void Runs_and_frames_stay_within_their_limits()
    {
        // Every second page: each a run of its own; and one long run beyond a frame's bytes.
        using var source = GuestMemories.OneSlot(2000, PageSize);
        for (var page = 0; page < 1000; page += 2) source.Page(0, page, PageSize)[0] = 1;
        for (var page = 1000; page < 2000; page++) source.Page(0, page, PageSize)[0] = 1;
        var stream = new ScriptedStream([]);
        var sent = new PageSender(new FrameChannel(stream, StreamPurpose.Transfer), source, PageSize)
            .Send(0, All(source).Slot(0), firstRound: true, TestContext.Current.CancellationToken);
        Assert.Equal(1500, sent.Pages);
        Assert.Equal(stream.Written.Length, sent.Bytes);

        using var destination = GuestMemories.OneSlot(2000, PageSize);
        var channel = new FrameChannel(new ScriptedStream(stream.Written), StreamPurpose.Transfer);
        var receiver = new PageReceiver(channel, destination, PageSize);
        var frames = 0;
        while (channel.BytesReceived < sent.Bytes)
        {
            receiver.Receive(channel.ReceiveHeader());
            frames++;
        }
        Assert.InRange(frames, 1500 / 256 + 1, 10);
        GuestMemories.AssertSame(source, destination);
    }

    [Fact]
    public void Sending_and_receiving_allocate_nothing_for_a_page()
    {
        const int pages = 8192;
        using var source = GuestMemories.OneSlot(pages, PageSize);
        using var destination = GuestMemories.OneSlot(pages, PageSize);
        for (var page = 0; page < pages; page += 3) source.Page(0, page, PageSize)[0] = 1;
        var bitmap = All(source);
        var (first, second) = UnixSocket.Pair();
        using var sending = new FrameChannel(new UnixByteStream(first), StreamPurpose.Transfer);
        using var receiving = new FrameChannel(new UnixByteStream(second), StreamPurpose.Transfer);
        var sender = new PageSender(sending, source, PageSize, new RateLimiter(long.MaxValue));
        var receiver = new PageReceiver(receiving, destination, PageSize);
        long allocated = -1;
        var rounds = 3;
        var other = OtherSide.Run(() =>
        {
            var before = 0L;
            for (var round = 0; round < rounds; round++)
            {
                if (round == 1) before = GC.GetAllocatedBytesForCurrentThread();
                for (var header = receiving.ReceiveHeader(); header.Kind != FrameKind.Done; header = receiving.ReceiveHeader()) receiver.Receive(header);
            }
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        });
        var sendAllocated = 0L;
        for (var round = 0; round < rounds; round++)
        {
            if (round == 1) sendAllocated = GC.GetAllocatedBytesForCurrentThread();
            sender.Send(0, bitmap.Slot(0), firstRound: false, CancellationToken.None);
            sending.Send(FrameKind.Done);
        }
        sendAllocated = GC.GetAllocatedBytesForCurrentThread() - sendAllocated;
        other.Join();
        Assert.InRange(sendAllocated, 0, 1024);
        Assert.InRange(allocated, 0, 1024);
    }

    [Fact]
    public void A_cancelled_send_stops_between_two_frames()
    {
        using var source = GuestMemories.OneSlot(2000, PageSize);
        for (var page = 0; page < 2000; page++) source.Page(0, page, PageSize)[0] = 1;
        using var cancel = new CancellationTokenSource();
        var now = TimeSpan.Zero;
        var stream = new ScriptedStream([]);
        var channel = new FrameChannel(stream, StreamPurpose.Transfer);
        var limiter = new RateLimiter(1 << 20, () => now, (time, _) =>
        {
            now += time;
            if (now > TimeSpan.FromSeconds(2)) cancel.Cancel();
        });
        Assert.Throws<OperationCanceledException>(() => new PageSender(channel, source, PageSize, limiter).Send(0, All(source).Slot(0), true, cancel.Token));
        Assert.False(channel.IsBroken);
        channel.Send(FrameKind.Cancel);
        var reading = new FrameChannel(new ScriptedStream(stream.Written), StreamPurpose.Transfer);
        using var destination = GuestMemories.OneSlot(2000, PageSize);
        var receiver = new PageReceiver(reading, destination, PageSize);
        var header = reading.ReceiveHeader();
        for (; PageReceiver.Takes(header.Kind); header = reading.ReceiveHeader()) receiver.Receive(header);
        Assert.Equal(FrameKind.Cancel, header.Kind);
    }

    [Fact]
    public void The_rate_is_kept_over_time_and_a_pause_is_not_saved_up()
    {
        var now = TimeSpan.FromHours(1);
        var limiter = new RateLimiter(1_000_000, () => now, (time, _) => now += time);
        var start = now;
        for (var i = 0; i < 100; i++) limiter.Take(100_000, CancellationToken.None);
        Assert.InRange((now - start).TotalSeconds, 9.8, 10);
        now += TimeSpan.FromHours(1);
        start = now;
        for (var i = 0; i < 10; i++) limiter.Take(100_000, CancellationToken.None);
        Assert.InRange((now - start).TotalSeconds, 0.8, 1);
    }

    [Fact]
    public void A_slot_that_is_not_made_of_whole_pages_is_refused()
    {
        using var memory = GuestMemories.Create(new MemorySlot(0, 0, 3 * 4096));
        var channel = new FrameChannel(new CountingStream(), StreamPurpose.Transfer);
        Assert.Equal(ErrorCode.Malformed, Assert.Throws<MigrateException>(() => new PageSender(channel, memory, 16384)).Code);
        Assert.Equal(ErrorCode.Malformed, Assert.Throws<MigrateException>(() => new PageReceiver(channel, memory, 8192)).Code);
        _ = new PageSender(channel, memory, 4096);
    }

    private static bool IsZero(MappedMemory memory)
    {
        var sender = new PageSender(new FrameChannel(new CountingStream(), StreamPurpose.Transfer), memory, PageSize);
        return sender.Send(0, [1], firstRound: false).ZeroPages == 1;
    }

    private static DirtyBitmap All(MappedMemory memory)
    {
        var bitmap = new DirtyBitmap([.. memory.Slots.Select(s => s.Slot)], PageSize);
        bitmap.SetAll();
        return bitmap;
    }

    private static (PageCounts Sent, PageCounts Received) Transfer(MappedMemory source, MappedMemory destination, DirtyBitmap bitmap, int pageSize, bool firstRound)
    {
        var (first, second) = UnixSocket.Pair();
        using var sending = new FrameChannel(new UnixByteStream(first), StreamPurpose.Transfer);
        using var receiving = new FrameChannel(new UnixByteStream(second), StreamPurpose.Transfer);
        var received = default(PageCounts);
        var other = OtherSide.Run(() =>
        {
            var receiver = new PageReceiver(receiving, destination, pageSize);
            for (var header = receiving.ReceiveHeader(); header.Kind != FrameKind.Done; header = receiving.ReceiveHeader()) received += receiver.Receive(header);
        });
        var sender = new PageSender(sending, source, pageSize);
        var sent = default(PageCounts);
        for (var i = 0; i < source.Slots.Count; i++) sent += sender.Send(source.Slots[i].Slot.Slot, bitmap.Slot(i), firstRound);
        sending.Send(FrameKind.Done);
        other.Join();
        return (sent, received);
    }
}
