using System.Buffers.Binary;
using Migrate.Model.Errors;
using Migrate.Model.Machines;
using Migrate.Tests.Transfer.Wire;
using Migrate.Transfer.Pages;
using Migrate.Transfer.Wire;

namespace Migrate.Tests.Transfer.Pages;

public sealed class HostilePagesTests : IDisposable
{
    private const int PageSize = 4096;
    private readonly MappedMemory _memory = GuestMemories.Create(new MemorySlot(2, 0, 10 * PageSize), new MemorySlot(5, 1 << 30, 4 * PageSize));

    public static TheoryData<string, FrameKind, int, int, ulong, uint> Lies => new()
    {
        { "the machine does not have", FrameKind.Pages, PageSize, 0, 0, 1 },
        { "the machine does not have", FrameKind.ZeroPages, PageSize, -1, 0, 1 },
        { "which has 10", FrameKind.Pages, PageSize, 2, 10, 1 },
        { "which has 10", FrameKind.Pages, PageSize, 2, 9, 2 },
        { "which has 10", FrameKind.ZeroPages, PageSize, 2, 0, 11 },
        { "which has 10", FrameKind.ZeroPages, PageSize, 2, ulong.MaxValue, 2 },
        { "which has 10", FrameKind.ZeroPages, PageSize, 2, 1, uint.MaxValue },
        { "which has 10", FrameKind.ZeroPages, PageSize, 2, 3, 0 },
        { "which has 4", FrameKind.ZeroPages, PageSize, 5, 4, 1 },
        { "pages of 16384 bytes", FrameKind.ZeroPages, 16384, 2, 0, 1 },
        { "pages of 0 bytes", FrameKind.ZeroPages, 0, 2, 0, 1 },
    };

    [Theory, MemberData(nameof(Lies))]
    public void A_table_that_lies_is_refused_before_anything_is_written(string reason, FrameKind kind, int pageSize, int slot, ulong first, uint count)
    {
        var frame = Frame(kind, pageSize, kind == FrameKind.Pages ? new byte[count * PageSize] : [], (2, 0, 1), (slot, first, count));
        _memory.Page(0, 0, PageSize).Fill(7);
        var error = Assert.Throws<MigrateException>(() => Receive(frame));
        Assert.Equal(ErrorCode.Protocol, error.Code);
        Assert.Contains(reason, error.Message);
        Assert.Equal(7, _memory.Page(0, 0, PageSize)[0]);
    }

    [Fact]
    public void The_same_table_told_truly_is_taken()
    {
        var pages = new byte[3 * PageSize];
        pages.AsSpan().Fill(8);
        var counts = Receive(Frame(FrameKind.Pages, PageSize, pages, (2, 9, 1), (5, 2, 2)));
        Assert.Equal(3, counts.Pages);
        Assert.Equal((8, 8, 8), (_memory.Page(0, 9, PageSize)[4095], _memory.Page(1, 2, PageSize)[0], _memory.Page(1, 3, PageSize)[4095]));
        Assert.Equal(10, Receive(Frame(FrameKind.ZeroPages, PageSize, [], (2, 0, 10))).ZeroPages);
        Assert.Equal(0, _memory.Page(0, 9, PageSize)[4095]);
    }

    [Fact]
    public void A_frame_with_more_or_fewer_bytes_than_its_table_needs_is_refused()
    {
        foreach (var bytes in new[] { 0, 1, PageSize - 1, PageSize + 1, 2 * PageSize })
            Assert.Contains("where its table needs", Assert.Throws<MigrateException>(() => Receive(Frame(FrameKind.Pages, PageSize, new byte[bytes], (2, 0, 1)))).Message);
        Assert.Equal(1, Receive(Frame(FrameKind.Pages, PageSize, new byte[PageSize], (2, 0, 1))).Pages);
    }

    [Fact]
    public void More_runs_than_a_table_may_have_are_refused()
    {
        var runs = Enumerable.Repeat((2, 0UL, 1u), FrameTable.MaxRuns + 1).ToArray();
        Assert.Contains("claims 257 runs", Assert.Throws<MigrateException>(() => Receive(Frame(FrameKind.ZeroPages, PageSize, [], runs))).Message);
        Assert.Contains("claims 0 runs", Assert.Throws<MigrateException>(() => Receive(Frame(FrameKind.ZeroPages, PageSize, []))).Message);
        Assert.Equal(FrameTable.MaxRuns, Receive(Frame(FrameKind.ZeroPages, PageSize, [], runs[1..])).ZeroPages);
    }

    [Fact]
    public void Every_flipped_bit_of_header_or_table_is_seen()
    {
        var frame = Frame(FrameKind.Pages, PageSize, new byte[PageSize], (2, 4, 1));
        for (var bit = 0; bit < (FrameHeader.Size + 8 + 16) * 8; bit++)
        {
            frame[bit / 8] ^= (byte)(1 << bit % 8);
            Assert.ThrowsAny<MigrateException>(() => Receive(frame));
            frame[bit / 8] ^= (byte)(1 << bit % 8);
        }
    }

    [Fact]
    public void A_page_frame_cut_at_any_byte_is_a_lost_peer()
    {
        var frame = Frame(FrameKind.Pages, PageSize, new byte[PageSize], (2, 4, 1));
        for (var length = 0; length < frame.Length; length++)
            Assert.Equal(ErrorCode.PeerLost, Assert.ThrowsAny<MigrateException>(() => Receive(frame[..length])).Code);
        Assert.Equal(1, Receive(frame).Pages);
    }

    [Fact]
    public void Mutated_page_frames_write_nowhere_else_and_end_in_a_typed_error()
    {
        byte[] valid =
        [
            .. Frame(FrameKind.Pages, PageSize, new byte[3 * PageSize], (2, 9, 1), (5, 2, 2)),
            .. Frame(FrameKind.ZeroPages, PageSize, [], (2, 0, 10), (5, 0, 4)),
            .. Frame(FrameKind.Pages, PageSize, new byte[PageSize], (5, 0, 1)),
        ];
        var random = new Random(5);
        var refused = 0;
        const int cases = 20_000;
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < cases; i++)
        {
            var mutated = Mutations.Of(valid, random, bytes => Mutations.FixFrames(bytes, 0));
            using var channel = new FrameChannel(new ScriptedStream(mutated), StreamPurpose.Transfer);
            var receiver = new PageReceiver(channel, _memory, PageSize);
            try
            {
                while (true) receiver.Receive(channel.ReceiveHeader());
            }
            catch (MigrateException)
            {
                refused++;
            }
        }
        Assert.Equal(cases, refused);
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / cases, 0, 96 << 10);
    }

    public void Dispose() => _memory.Dispose();

    private static byte[] Frame(FrameKind kind, int pageSize, byte[] pages, params (int Slot, ulong First, uint Count)[] runs)
    {
        var table = new byte[8 + 16 * runs.Length];
        BinaryPrimitives.WriteInt32LittleEndian(table, pageSize);
        BinaryPrimitives.WriteInt32LittleEndian(table.AsSpan(4), runs.Length);
        for (var i = 0; i < runs.Length; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(table.AsSpan(8 + 16 * i), runs[i].Slot);
            BinaryPrimitives.WriteUInt32LittleEndian(table.AsSpan(12 + 16 * i), runs[i].Count);
            BinaryPrimitives.WriteUInt64LittleEndian(table.AsSpan(16 + 16 * i), runs[i].First);
        }
        return [.. FrameBytes.Header(new FrameHeader(kind, FrameFlags.None, 0, table.Length + pages.Length, Crc32C.Of(table))), .. table, .. pages];
    }

    private PageCounts Receive(byte[] frame)
    {
        using var channel = new FrameChannel(new ScriptedStream(frame), StreamPurpose.Transfer);
        return new PageReceiver(channel, _memory, PageSize).Receive(channel.ReceiveHeader());
    }
}
