using Migrate.Model.Errors;
using Migrate.Model.Machines;
using Migrate.Snapshots;
using Migrate.Snapshots.Format;
using Migrate.Transfer.Wire;

namespace Migrate.Tests.Snapshots;

public class HostileSnapshotTests
{
    private static readonly ErrorCode[] Expected = [ErrorCode.Malformed, ErrorCode.TooLarge, ErrorCode.Unsupported];

    /// <summary>Memory rather than storage where there is some: these tests write one file after the other.</summary>
    private static TestDirectory Scratch() => new(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath());

    private static MigrateException? Judge(string path, byte[] content, bool restore = false)
    {
        File.WriteAllBytes(path, content);
        try
        {
            using var reader = SnapshotReader.Open(path);
            if (!restore)
            {
                reader.Verify(TestContext.Current.CancellationToken);
                return null;
            }
            reader.ReadState();
            using var memory = TestMachine.Fresh([.. reader.Info.Memory]);
            reader.Load(memory, TestContext.Current.CancellationToken);
            return null;
        }
        catch (MigrateException e)
        {
            return e;
        }
    }

    /// <summary>Refused by both verify and restore, alike, with the file's name.</summary>
    private static string Refusal(FrameBuilder file)
    {
        using var directory = Scratch();
        var content = file.Build();
        var verified = Judge(directory["x.vmsnap"], content);
        var restored = Judge(directory["x.vmsnap"], content, restore: true);
        Assert.NotNull(verified);
        Assert.Equal(verified.Message, restored?.Message);
        Assert.Contains(verified.Code, Expected);
        Assert.Contains("x.vmsnap", verified.Message);
        return verified.Message;
    }

    [Fact]
    public void A_file_put_together_again_is_good()
    {
        using var directory = Scratch();

        Assert.Null(Judge(directory["x.vmsnap"], FrameBuilder.Good().Build()));
        Assert.Null(Judge(directory["x.vmsnap"], FrameBuilder.Good().Build(), restore: true));
    }

    [Fact]
    public void Every_truncation_is_refused()
    {
        using var directory = Scratch();
        var content = FrameBuilder.Good().Build();
        for (var length = 0; length < content.Length; length += length < 1200 || length > content.Length - 600 ? 1 : 13)
        {
            var refused = Judge(directory["x.vmsnap"], content[..length]);
            Assert.True(refused is not null && Expected.Contains(refused.Code), $"{length} bytes: {refused}");
            Assert.Contains("x.vmsnap", refused.Message);
        }
    }

    [Fact]
    public void Something_behind_the_end_is_refused()
    {
        using var directory = Scratch();

        Assert.Equal(ErrorCode.Malformed, Judge(directory["x.vmsnap"], [.. FrameBuilder.Good().Build(), 0])!.Code);
    }

    [Fact]
    public void A_flipped_bit_in_any_byte_is_found_by_verify_and_by_restore()
    {
        using var directory = Scratch();
        var file = FrameBuilder.Good();
        var content = file.Build();
        var random = new Random(3);
        bool IsPage(long at) => file.Index.Frames.Any(f => at >= f.Offset + FrameHeader.Size + PageScan.SmallestTable && at < f.Offset + f.Pages * 4096);
        // Every byte of headers, tables and documents; of the pages, in which all bytes are alike, every thirteenth.
        for (var at = 0; at < content.Length; at += IsPage(at) ? 13 : 1)
        {
            var bit = (byte)(1 << random.Next(8));
            content[at] ^= bit;
            var verified = Judge(directory["x.vmsnap"], content);
            Assert.True(verified is not null && Expected.Contains(verified.Code), $"byte {at}: {verified}");
            if (at % 7 == 0) Assert.Equal(verified.Message, Judge(directory["x.vmsnap"], content, restore: true)?.Message);
            content[at] ^= bit;
        }
    }

    public static TheoryData<string, (int, uint, ulong)[]> Tables => new()
    {
        { "slot 9, which", [(9, 1, 0)] },
        { "page 3 on", [(0, 2, 3)] },
        { "page 4 on", [(0, 1, 4)] },
        { "page 18446744073709551615 on", [(0, 1, ulong.MaxValue)] },
        { "0 pages from", [(0, 0, 0), (0, 1, 1)] },
        { "page 1 on in slot 0, where page 2", [(0, 2, 0), (0, 1, 1)] },
        { "page 0 on in slot 0, where page 2", [(0, 1, 1), (0, 1, 0)] },
        { "behind those of a later one", [(7, 1, 0), (0, 1, 0)] },
    };

    [Theory]
    [MemberData(nameof(Tables))]
    public void Refuses_pages_outside_memory_twice_or_out_of_order(string reason, (int, uint, ulong)[] runs)
    {
        var file = FrameBuilder.Good();
        file.Frames.RemoveRange(1, 2);
        file.Frames.Add((FrameKind.Pages, FrameFlags.None, FrameBuilder.Pages(4096, runs)));

        Assert.Contains(reason, Refusal(file));
    }

    [Fact]
    public void Refuses_a_page_that_a_later_frame_brings_again()
    {
        var file = FrameBuilder.Good();
        file.Frames[2] = file.Frames[1];

        Assert.Contains("in slot 0, where page 2", Refusal(file));
    }

    [Fact]
    public void Refuses_pages_of_another_size_and_more_than_the_table_says()
    {
        var file = FrameBuilder.Good();
        file.Frames[2] = (FrameKind.Pages, FrameFlags.None, FrameBuilder.Pages(16384, (7, 1, 0)));
        Assert.Contains("pages of 16384 bytes", Refusal(file));

        file.Frames[2] = (FrameKind.Pages, FrameFlags.None, [.. FrameBuilder.Pages(4096, (7, 1, 0)), .. new byte[4096]]);
        Assert.Contains("1 pages in its table; the index says 2", Refusal(file));
    }

    [Fact]
    public void Refuses_a_frame_that_must_be_known_and_passes_over_an_optional_one()
    {
        using var directory = Scratch();
        var file = FrameBuilder.Good();
        file.Frames.Insert(1, ((FrameKind)0x7777, FrameFlags.Optional, new byte[100]));
        Assert.Null(Judge(directory["x.vmsnap"], file.Build(), restore: true));

        file.Frames[1] = ((FrameKind)0x7777, FrameFlags.None, new byte[100]);
        Assert.Contains("0x7777", Refusal(file));

        file.Frames[1] = (FrameKind.ZeroPages, FrameFlags.None, FrameBuilder.Pages(4096, (0, 0, 0)));
        Assert.Contains("zero-pages", Refusal(file));
    }

    [Fact]
    public void Refuses_an_index_that_does_not_fit()
    {
        var file = FrameBuilder.Good();
        file.Reindex = false;
        var good = file.Index;
        foreach (var wrong in (SnapshotIndex[])[
            good with { Frames = good.Frames[..1] },
            good with { Frames = [.. good.Frames, good.Frames[1]] },
            good with { Frames = [good.Frames[0] with { Offset = -1 }, good.Frames[1]] },
            good with { Frames = [good.Frames[0] with { Offset = long.MaxValue }, good.Frames[1]] },
            good with { Frames = [good.Frames[0], good.Frames[1] with { Pages = uint.MaxValue }] },
            good with { Frames = [good.Frames[0] with { Pages = 0 }, good.Frames[1] with { Pages = 4 }] },
            good with { Frames = [good.Frames[0] with { Checksum = 1 }, good.Frames[1]] },
            good with { Frames = [good.Frames[0] with { Offset = good.Frames[0].Offset + 1 }, good.Frames[1]] },
            good with { StoredPages = 5, ZeroPages = 1 },
            good with { ZeroPages = -1 },
            good with { ZeroPages = long.MaxValue },
        ])
        {
            file.Index = wrong;
            Refusal(file);
        }
    }

    [Fact]
    public void Refuses_an_end_that_lies_and_something_hidden_before_it()
    {
        var file = FrameBuilder.Good();
        foreach (var lie in (Func<SnapshotEnd, SnapshotEnd>[])[
            end => end with { FileLength = end.FileLength + 1 },
            end => end with { IndexOffset = -1 },
            end => end with { IndexOffset = long.MaxValue },
            end => end with { IndexOffset = 24 },
            end => end with { IndexOffset = end.IndexOffset + 1 },
        ])
        {
            file.End = lie;
            Refusal(file);
        }
        file.End = end => end;
        file.Gap = new byte[64];
        Assert.Contains("between the index and the end", Refusal(file));
    }

    [Fact]
    public void Refuses_a_head_that_is_not_of_the_state()
    {
        var file = FrameBuilder.Good();
        var good = file.Head;
        foreach (var wrong in (SnapshotHead[])[
            good with { VmId = new string('b', 32) },
            good with { Machine = "web-2" },
            good with { Memory = [new MemorySlot(0, 0x4000_0000, 0x4000), new MemorySlot(7, 0x9000_0000, 0x2000)] },
        ])
        {
            file.Head = wrong;
            Assert.Contains("not of the machine that the head names", Refusal(file));
        }
    }

    [Fact]
    public void Refuses_a_difference_to_a_parent_by_name()
    {
        var file = FrameBuilder.Good();
        file.Head = file.Head with { Parent = "sunday" };

        Assert.Contains("'sunday'", Refusal(file));
    }

    [Fact]
    public void No_damage_even_behind_right_checksums_escapes_or_costs_more_than_a_mebibyte()
    {
        using var directory = Scratch();
        var path = directory["x.vmsnap"];
        var random = new Random(11);
        var (good, refused) = (FrameBuilder.Good(), 0);
        var frames = good.Frames.ToArray();
        var content = good.Build();
        const int cases = 20_000;
        for (var i = 0; i < cases; i++)
        {
            byte[] damaged;
            if (i % 2 == 0)
            {
                // Behind every checksum: the state and the tables of pages.
                var at = random.Next(frames.Length);
                var payload = (byte[])frames[at].Payload.Clone();
                var first = at == 0 ? payload.Length : 24;
                for (var flips = random.Next(1, 4); flips > 0; flips--) payload[random.Next(first)] = (byte)random.Next(256);
                good.Frames[at] = (frames[at].Kind, frames[at].Flags, payload);
                damaged = good.Build();
                good.Frames[at] = frames[at];
            }
            else
            {
                damaged = (byte[])content.Clone();
                for (var flips = random.Next(1, 4); flips > 0; flips--) damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            }
            File.WriteAllBytes(path, damaged);
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                using var reader = SnapshotReader.Open(path);
                reader.Verify(TestContext.Current.CancellationToken);
            }
            catch (MigrateException e)
            {
                Assert.Contains(e.Code, Expected);
                refused++;
            }
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(allocated < 1 << 20, $"case {i}: {allocated} bytes");
        }
        Assert.InRange(refused, cases / 2, cases);
    }
}
