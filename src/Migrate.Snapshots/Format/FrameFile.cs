using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using Migrate.Model.Encoding;
using Migrate.Model.Errors;
using Migrate.Transfer.Wire;

namespace Migrate.Snapshots.Format;

/// <summary>Frames of a file, read by position. Nothing is allocated for a length that the file does not have.</summary>
internal sealed class FrameFile(SafeFileHandle file, string path, long length) : IDisposable
{
    public string Path => path;

    public long Length => length;

    /// <summary>Runs a reading so that every error that it raises is one of a file.</summary>
    public static T Judged<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (MigrateException e) when (e.Code == ErrorCode.Protocol)
        {
            throw new MigrateException(ErrorCode.Malformed, e.Message, e) { Stage = Stage.Snapshot };
        }
    }

    /// <summary>Reads and judges the preamble; returns where it ends.</summary>
    public long Preamble(IncrementalHash? digest)
    {
        Span<byte> bytes = stackalloc byte[Transfer.Wire.Preamble.Size];
        Read(0, bytes, digest);
        var preamble = Transfer.Wire.Preamble.Read(bytes, StreamPurpose.Snapshot, path);
        if (preamble.Length > length) throw Broken(0, $"the preamble claims {preamble.Length} bytes of {length}");
        Pass(bytes.Length, preamble.Length, digest);
        return preamble.Length;
    }

    /// <summary>Reads a header; its payload ends before <paramref name="limit"/>.
    /// An optional frame of an unknown kind is not <paramref name="known"/>.</summary>
    public FrameHeader Header(long offset, long limit, IncrementalHash? digest, out bool known)
    {
        Span<byte> bytes = stackalloc byte[FrameHeader.Size];
        if (offset > limit - bytes.Length) throw Broken(offset, "a frame is expected and there is no room for one");
        Read(offset, bytes, digest);
        var header = FrameHeader.Read(bytes, path, offset, out known);
        if (header.Descriptors != 0) throw Broken(offset, "a frame in a file claims descriptors");
        if (header.Length > limit - offset - bytes.Length)
            throw Broken(offset, $"the {FrameTable.NameOf(header.Kind)} frame claims {header.Length} bytes and has room for {limit - offset - bytes.Length}");
        return header;
    }

    /// <summary>Passes over optional frames of kinds that this build does not know; stops at any other, and at <paramref name="limit"/>.</summary>
    public void SkipOptional(ref long offset, long limit, IncrementalHash? digest)
    {
        while (offset < limit)
        {
            var header = Header(offset, limit, null, out var known);
            if (known) return;
            var next = offset + FrameHeader.Size + header.Length;
            Pass(offset, next, digest);
            offset = next;
        }
    }

    /// <summary>Reads a whole frame's payload, its checksum verified.</summary>
    public byte[] Payload(ref long offset, FrameKind kind, long limit, IncrementalHash? digest)
    {
        var header = Header(offset, limit, digest, out _);
        if (header.Kind != kind) throw Broken(offset, $"{FrameTable.NameOf(header.Kind)} stands where {FrameTable.NameOf(kind)} belongs");
        var payload = new byte[header.Length];
        Read(offset + FrameHeader.Size, payload, digest);
        if (Crc32C.Of(payload) != header.PayloadChecksum)
            throw Broken(offset, $"the {FrameTable.NameOf(kind)} frame is damaged: its payload's checksum does not fit");
        offset += FrameHeader.Size + payload.Length;
        return payload;
    }

    /// <summary>Reads a structured frame.</summary>
    public T Structured<T>(ref long offset, FrameKind kind, Shape<T> shape, long limit, IncrementalHash? digest)
    {
        var payload = Payload(ref offset, kind, limit, digest);
        try
        {
            return MessagePackEncoding.Decode(shape, payload);
        }
        catch (MigrateException e)
        {
            throw new MigrateException(e.Code, $"{path}, {FrameTable.NameOf(kind)} frame that ends at offset {offset}: {e.Message}", e)
            {
                Stage = Stage.Snapshot,
                Remedy = e.Remedy,
            };
        }
    }

    /// <summary>Fills the span from a position.</summary>
    public void Read(long offset, Span<byte> into, IncrementalHash? digest)
    {
        for (var done = 0; done < into.Length;)
        {
            int read;
            try
            {
                read = RandomAccess.Read(file, into[done..], offset + done);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new MigrateException(ErrorCode.System, $"reading {path} at offset {offset + done}: {e.Message}", e) { Stage = Stage.Snapshot };
            }
            if (read == 0) throw Broken(offset + done, $"the file ends {into.Length - done} bytes too early");
            done += read;
        }
        digest?.AppendData(into);
    }

    public MigrateException Broken(long offset, string reason) =>
        new(ErrorCode.Malformed, $"{path}: at offset {offset}: {reason}")
        {
            Stage = Stage.Snapshot,
            Remedy = "Use another snapshot; this file cannot be restored.",
        };

    public void Dispose() => file.Dispose();

    private void Pass(long from, long to, IncrementalHash? digest)
    {
        Span<byte> waste = stackalloc byte[4096];
        while (from < to)
        {
            var part = waste[..(int)Math.Min(waste.Length, to - from)];
            Read(from, part, digest);
            from += part.Length;
        }
    }
}
