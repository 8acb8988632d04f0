using System.Buffers.Binary;
using Migrate.Model.Errors;

namespace Migrate.Transfer.Wire;

/// <summary>Properties of a frame.</summary>
[Flags]
public enum FrameFlags : ushort
{
    /// <summary>None: a reader that does not know the kind must refuse the stream.</summary>
    None = 0,

    /// <summary>A reader that does not know the kind skips the frame.</summary>
    Optional = 1,
}

/// <summary>The 24 bytes before every payload.</summary>
/// <param name="Kind">What the frame is.</param>
/// <param name="Flags">Its properties.</param>
/// <param name="Descriptors">File descriptors that travel with the payload's first byte; 0 everywhere but on a machine socket.</param>
/// <param name="Length">Bytes of payload.</param>
/// <param name="PayloadChecksum">CRC-32C of what <see cref="FrameRule.Check"/> says.</param>
/// <remarks>Layout, little-endian: kind u16, flags u16, descriptors u16, zero u16, length u64, payload checksum u32, CRC-32C u32 of the 20 bytes before it.</remarks>
public readonly record struct FrameHeader(FrameKind Kind, FrameFlags Flags, int Descriptors, long Length, uint PayloadChecksum)
{
    /// <summary>Bytes of a header.</summary>
    public const int Size = 24;

    /// <summary>Writes the header, <see cref="Size"/> bytes.</summary>
    public void CopyTo(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(destination, (ushort)Kind);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[2..], (ushort)Flags);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[4..], (ushort)Descriptors);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[6..], 0);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[8..], (ulong)Length);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[16..], PayloadChecksum);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[20..], Crc32C.Of(destination[..20]));
    }

    /// <summary>Reads a header and judges all that can be judged without its payload.</summary>
    /// <param name="bytes"><see cref="Size"/> bytes.</param>
    /// <param name="name">Who sent it, for messages.</param>
    /// <param name="offset">Where in the stream it began, for messages.</param>
    /// <param name="known">False for an optional frame of an unknown kind, to be skipped.</param>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Protocol"/>: damaged, or a kind that must be known and is not;
    /// <see cref="ErrorCode.TooLarge"/>: longer than its kind may be.</exception>
    public static FrameHeader Read(ReadOnlySpan<byte> bytes, string name, long offset, out bool known)
    {
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[20..]) != Crc32C.Of(bytes[..20]))
            throw Broken(name, offset, "is damaged: its header's checksum does not fit");
        var kind = (FrameKind)BinaryPrimitives.ReadUInt16LittleEndian(bytes);
        var flags = (FrameFlags)BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..]);
        var descriptors = BinaryPrimitives.ReadUInt16LittleEndian(bytes[4..]);
        var length = BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]);
        if (kind == FrameKind.Invalid)
            throw Broken(name, offset, "has the kind 0, which is never sent");
        if ((flags & ~FrameFlags.Optional) != 0 || BinaryPrimitives.ReadUInt16LittleEndian(bytes[6..]) != 0)
            throw Broken(name, offset, $"of kind {FrameTable.NameOf(kind)} has reserved bits set (flags 0x{(ushort)flags:x})");
        known = FrameTable.TryFind(kind, out var rule);
        if (!known && (flags & FrameFlags.Optional) == 0)
            throw new MigrateException(ErrorCode.Unsupported, $"{name} sent a frame of the unknown kind 0x{(ushort)kind:x4} at offset {offset}, and it is not optional")
            {
                Remedy = "Use the same version of vmmigrate on both sides.",
            };
        var limit = known ? rule.MaxPayload : FrameTable.MaxSkipped;
        if (length > (ulong)limit)
            throw new MigrateException(ErrorCode.TooLarge, $"the {FrameTable.NameOf(kind)} frame of {name} at offset {offset} claims {length} bytes; its limit is {limit}");
        if (descriptors > rule.MaxDescriptors || (descriptors > 0 && length == 0))
            throw Broken(name, offset, $"of kind {FrameTable.NameOf(kind)} claims {descriptors} descriptors; its limit is {rule.MaxDescriptors}");
        return new FrameHeader(kind, flags, descriptors, (long)length, BinaryPrimitives.ReadUInt32LittleEndian(bytes[16..]));
    }

    private static MigrateException Broken(string name, long offset, string reason) =>
        new(ErrorCode.Protocol, $"the frame of {name} at offset {offset} {reason}");
}
