using System.Buffers.Binary;
using System.Security.Cryptography;
using Migrate.Model;
using Migrate.Model.Encoding;
using Migrate.Snapshots;
using Migrate.Snapshots.Format;
using Migrate.Transfer.Wire;

namespace Migrate.Tests.Snapshots;

/// <summary>A snapshot taken apart into frames that a test changes, and put together with every checksum right: only the rules can refuse it.</summary>
internal sealed class FrameBuilder
{
    private FrameBuilder()
    {
    }

    public required SnapshotHead Head { get; set; }

    public required List<(FrameKind Kind, FrameFlags Flags, byte[] Payload)> Frames { get; init; }

    public required SnapshotIndex Index { get; set; }

    /// <summary>Whether the index is made to fit the frames again.</summary>
    public bool Reindex { get; set; } = true;

    /// <summary>What stands between the index and the end.</summary>
    public byte[] Gap { get; set; } = [];

    /// <summary>Changes the end.</summary>
    public Func<SnapshotEnd, SnapshotEnd> End { get; set; } = end => end;

    /// <summary>The frames of a small machine with three stored pages in two frames, one for each slot.</summary>
    public static FrameBuilder Good()
    {
        using var directory = new TestDirectory();
        using var machine = new TestMachine().Fill((slot, page) => page < 2 - slot);
        SnapshotWriter.Write(directory["a.vmsnap"], "a", machine, TestContext.Current.CancellationToken);
        var bytes = File.ReadAllBytes(directory["a.vmsnap"]);
        var frames = new List<(FrameKind, FrameFlags, byte[])>();
        for (var at = Preamble.Size; at < bytes.Length;)
        {
            var header = FrameHeader.Read(bytes.AsSpan(at), "a", at, out _);
            frames.Add((header.Kind, header.Flags, bytes[(at + FrameHeader.Size)..(at + FrameHeader.Size + (int)header.Length)]));
            at += FrameHeader.Size + (int)header.Length;
        }
        Assert.Equal(
            [FrameKind.SnapshotHead, FrameKind.SnapshotState, FrameKind.Pages, FrameKind.Pages, FrameKind.SnapshotIndex, FrameKind.SnapshotEnd],
            frames.Select(f => f.Item1));
        return new FrameBuilder
        {
            Head = MessagePackEncoding.Decode(SnapshotHead.Shape, frames[0].Item3),
            Frames = frames[1..^2],
            Index = MessagePackEncoding.Decode(SnapshotIndex.Shape, frames[^2].Item3),
        };
    }

    public byte[] Build()
    {
        var file = new MemoryStream();
        var preamble = new byte[Preamble.Size];
        Preamble.For(StreamPurpose.Snapshot).CopyTo(preamble);
        file.Write(preamble);
        Append(file, FrameKind.SnapshotHead, FrameFlags.None, MessagePackEncoding.Encode(SnapshotHead.Shape, Head));
        var pages = new List<PageFrame>();
        foreach (var (kind, flags, payload) in Frames)
        {
            if (kind == FrameKind.Pages)
            {
                var content = payload.AsSpan(Math.Min(payload.Length, TableBytes(payload)));
                pages.Add(new PageFrame(file.Length, (uint)(content.Length / 4096), Crc32C.Of(content)));
            }
            Append(file, kind, flags, payload);
        }
        var at = file.Length;
        var index = Index with { Sha256 = EquatableArray.Create<byte>(SHA256.HashData(file.ToArray())) };
        if (Reindex)
        {
            var stored = pages.Sum(f => (long)f.Pages);
            index = index with { Frames = [.. pages], StoredPages = stored, ZeroPages = Head.Pages - stored };
        }
        Append(file, FrameKind.SnapshotIndex, FrameFlags.None, MessagePackEncoding.Encode(SnapshotIndex.Shape, index));
        file.Write(Gap);
        var end = new byte[SnapshotEnd.PayloadSize];
        End(new SnapshotEnd(at, file.Length + SnapshotEnd.FrameSize)).CopyTo(end);
        Append(file, FrameKind.SnapshotEnd, FrameFlags.None, end);
        return file.ToArray();
    }

    /// <summary>A page frame of runs, with as many pages behind its table.</summary>
    public static byte[] Pages(int pageSize, params (int Slot, uint Count, ulong First)[] runs)
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
        var pages = new byte[Math.Min(runs.Sum(r => r.Count), 8) * 4096];
        Array.Fill(pages, (byte)7);
        return [.. table, .. pages];
    }

    private static void Append(MemoryStream file, FrameKind kind, FrameFlags flags, byte[] payload)
    {
        var header = new byte[FrameHeader.Size];
        var summed = kind == FrameKind.Pages ? payload.AsSpan(0, Math.Min(payload.Length, TableBytes(payload))) : payload;
        new FrameHeader(kind, flags, 0, payload.Length, Crc32C.Of(summed)).CopyTo(header);
        file.Write(header);
        file.Write(payload);
    }

    private static int TableBytes(byte[] payload) => payload.Length < 8 ? payload.Length : 8 + (int)(16 * Math.Min(BinaryPrimitives.ReadUInt32LittleEndian(payload.AsSpan(4)), 4096));
}
