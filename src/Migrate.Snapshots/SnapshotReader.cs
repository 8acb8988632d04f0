using System.Security.Cryptography;
using Migrate.Linux.Files;
using Migrate.Model.Encoding;
using Migrate.Model.Errors;
using Migrate.Model.Machines;
using Migrate.Snapshots.Format;
using Migrate.Transfer.Pages;
using Migrate.Transfer.Wire;

namespace Migrate.Snapshots;

/// <summary>Reads a snapshot file that may be anything. Opening reads preamble, head and index; <see cref="Verify"/> everything.</summary>
/// <remarks>Reads are positional, never a mapping: storage that fails gives an error instead of a signal.</remarks>
public sealed class SnapshotReader : IDisposable
{
    private readonly FrameFile _file;
    private readonly long _headOffset;
    private readonly SnapshotHead _head;
    private readonly SnapshotIndex _index;
    private readonly long _indexOffset;

    private SnapshotReader(FrameFile file)
    {
        _file = file;
        var end = ReadEnd();
        _indexOffset = end.IndexOffset;
        _headOffset = file.Preamble(null);
        var offset = _headOffset;
        _head = file.Structured(ref offset, FrameKind.SnapshotHead, SnapshotHead.Shape, _indexOffset, null);
        offset = _indexOffset;
        _index = file.Structured(ref offset, FrameKind.SnapshotIndex, SnapshotIndex.Shape, file.Length - SnapshotEnd.FrameSize, null);
        if (offset != file.Length - SnapshotEnd.FrameSize) throw file.Broken(offset, "something stands between the index and the end");
        EnsureIndexFits();
        Info = Describe(_head, _index, file.Length);
    }

    /// <summary>What the file says about itself.</summary>
    public SnapshotInfo Info { get; }

    /// <summary>The file.</summary>
    public string Path => _file.Path;

    /// <summary>Opens a snapshot by its path.</summary>
    /// <exception cref="MigrateException"><see cref="ErrorCode.NotFound"/>, <see cref="ErrorCode.Denied"/>; <see cref="ErrorCode.Malformed"/>,
    /// <see cref="ErrorCode.TooLarge"/> or <see cref="ErrorCode.Unsupported"/>: no snapshot that this build reads. The message names file and offset.</exception>
    public static SnapshotReader Open(string path)
    {
        var handle = RegularFile.OpenForReading(path, out var length);
        try
        {
            return FrameFile.Judged(() => new SnapshotReader(new FrameFile(handle, path, length)));
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Reads the machine's state.</summary>
    /// <exception cref="MigrateException">As <see cref="Open"/>.</exception>
    public MachineState ReadState() => FrameFile.Judged(() =>
    {
        var offset = _headOffset;
        _ = _file.Structured(ref offset, FrameKind.SnapshotHead, SnapshotHead.Shape, _indexOffset, null);
        return ReadState(ref offset, null);
    });

    /// <summary>Reads everything and checks it: every checksum, every offset, that no page is there twice or outside the machine's memory, the digest.</summary>
    /// <exception cref="MigrateException">As <see cref="Open"/>: exactly what a restore would refuse.</exception>
    public void Verify(CancellationToken cancellation = default) => Load(null, cancellation);

    /// <summary>As <see cref="Verify"/>, with the pages read into a machine's fresh memory. Nothing may start before this has returned.</summary>
    internal void Load(MappedMemory? memory, CancellationToken cancellation) => FrameFile.Judged(() =>
    {
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var offset = _file.Preamble(digest);
        var head = _file.Structured(ref offset, FrameKind.SnapshotHead, SnapshotHead.Shape, _indexOffset, digest);
        if (head != _head) throw _file.Broken(_headOffset, "the head changed while it was read");
        _ = ReadState(ref offset, digest);
        var pages = new PageScan(_file, _head, memory);
        foreach (var frame in _index.Frames)
        {
            cancellation.ThrowIfCancellationRequested();
            _file.SkipOptional(ref offset, _indexOffset, digest);
            pages.Read(ref offset, frame, _indexOffset, digest);
        }
        _file.SkipOptional(ref offset, _indexOffset, digest);
        if (offset != _indexOffset) throw _file.Broken(offset, "a frame stands before the index that the index does not name");
        if (!digest.GetHashAndReset().AsSpan().SequenceEqual(_index.Sha256.Span)) throw _file.Broken(_indexOffset, "the content is not the one of which the index holds the SHA-256");
        return true;
    });

    /// <summary>Closes the file.</summary>
    public void Dispose() => _file.Dispose();

    internal static SnapshotInfo Describe(SnapshotHead head, SnapshotIndex index, long fileBytes) => new()
    {
        Name = head.Name,
        Machine = head.Machine,
        VmId = head.VmId,
        Created = head.Created,
        PageSize = head.PageSize,
        Memory = head.Memory,
        StoredPages = index.StoredPages,
        ZeroPages = index.ZeroPages,
        FileBytes = fileBytes,
        Sha256 = Convert.ToHexStringLower(index.Sha256.Span),
        Parent = head.Parent,
    };

    private SnapshotEnd ReadEnd()
    {
        var offset = _file.Length - SnapshotEnd.FrameSize;
        if (offset < Preamble.Size) throw _file.Broken(0, $"{_file.Length} bytes are too few for a snapshot");
        var end = SnapshotEnd.Read(_file.Payload(ref offset, FrameKind.SnapshotEnd, _file.Length, null));
        if (end.FileLength != _file.Length) throw _file.Broken(_file.Length - SnapshotEnd.FrameSize, $"the end says {end.FileLength} bytes, the file has {_file.Length}");
        if (end.IndexOffset < Preamble.Size || end.IndexOffset > _file.Length - SnapshotEnd.FrameSize - FrameHeader.Size)
            throw _file.Broken(_file.Length - SnapshotEnd.FrameSize, $"the index cannot be at offset {end.IndexOffset}");
        return end;
    }

    private MachineState ReadState(ref long offset, IncrementalHash? digest)
    {
        _file.SkipOptional(ref offset, _indexOffset, digest);
        var at = offset;
        var state = _file.Structured(ref offset, FrameKind.SnapshotState, Documents.MachineState, _indexOffset, digest);
        if (state.Vm.Name != _head.Machine || state.Vm.Id != _head.VmId || state.Vm.Memory != _head.Memory)
            throw _file.Broken(at, "the state is not of the machine that the head names");
        return state;
    }

    /// <summary>What can be said of the index without reading a page: frames in order, inside the file, with as many pages as the machine has.</summary>
    private void EnsureIndexFits()
    {
        if (_head.Parent is not null)
            throw new MigrateException(ErrorCode.Unsupported, $"{Path} builds on snapshot '{Shapes.OneLine(_head.Parent, 64)}'; this build reads full snapshots only");
        var pages = 0L;
        var free = _headOffset + FrameHeader.Size;
        foreach (var frame in _index.Frames)
        {
            var bytes = FrameHeader.Size + PageScan.SmallestTable + (long)frame.Pages * _head.PageSize;
            if (frame.Pages == 0 || (long)frame.Pages * _head.PageSize > FrameTable.MaxPageBytes || frame.Offset < free || frame.Offset > _indexOffset - bytes)
                throw _file.Broken(_indexOffset, $"the index names {frame.Pages} pages at offset {frame.Offset}, where they cannot be");
            free = frame.Offset + bytes;
            pages += frame.Pages;
        }
        if (pages != _index.StoredPages || _index.ZeroPages < 0 || _index.ZeroPages != _head.Pages - pages)
            throw _file.Broken(_indexOffset, $"the index counts {_index.StoredPages} stored and {_index.ZeroPages} zero pages; {pages} of {_head.Pages} are stored");
    }
}
