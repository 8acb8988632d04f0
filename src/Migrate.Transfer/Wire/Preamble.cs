using System.Buffers.Binary;
using Migrate.Model.Errors;

namespace Migrate.Transfer.Wire;

/// <summary>What a stream is for; part of the preamble, so that a stream at the wrong door is refused by name.</summary>
public enum StreamPurpose : ushort
{
    /// <summary>Never sent.</summary>
    Invalid = 0,

    /// <summary>Between a sender and an agent.</summary>
    Transfer = 1,

    /// <summary>A machine socket.</summary>
    Machine = 2,

    /// <summary>A snapshot file.</summary>
    Snapshot = 3,
}

/// <summary>The fixed beginning of every stream and file, outside any codec.</summary>
/// <param name="Version">The format version.</param>
/// <param name="Purpose">What the stream is for.</param>
/// <param name="Flags">Bits 0 to 15 must be understood, bits 16 to 31 may be ignored.</param>
/// <param name="Length">Bytes of the whole preamble; a later version may append to it.</param>
/// <remarks>Layout, little-endian: magic 8, version u16, purpose u16, flags u32, length u32, CRC-32C u32 of the 20 bytes before it.</remarks>
public readonly record struct Preamble(ushort Version, StreamPurpose Purpose, uint Flags, uint Length)
{
    /// <summary>Bytes of the fixed part.</summary>
    public const int Size = 24;

    /// <summary>The format version that this build writes and reads.</summary>
    public const ushort CurrentVersion = 1;

    /// <summary>Longest preamble that is read.</summary>
    public const int MaxLength = 4096;

    /// <summary>Flag bit: TLS begins behind the preamble. Reserved; refused by this version.</summary>
    public const uint Tls = 1;

    private const uint MustBeUnderstood = 0xffff;

    /// <summary>The magic: a byte beyond ASCII, VMM, and line ends that a text transfer would change.</summary>
    public static ReadOnlySpan<byte> Magic => [0x8a, (byte)'V', (byte)'M', (byte)'M', 0x0d, 0x0a, 0x1a, 0x0a];

    /// <summary>What this build sends.</summary>
    public static Preamble For(StreamPurpose purpose) => new(CurrentVersion, purpose, 0, Size);

    /// <summary>Writes the fixed part, <see cref="Size"/> bytes.</summary>
    public void CopyTo(Span<byte> destination)
    {
        Magic.CopyTo(destination);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[8..], Version);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[10..], (ushort)Purpose);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[12..], Flags);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[16..], Length);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[20..], Crc32C.Of(destination[..20]));
    }

    /// <summary>Reads and judges the fixed part.</summary>
    /// <param name="bytes"><see cref="Size"/> bytes.</param>
    /// <param name="purpose">What the stream must be for.</param>
    /// <param name="name">Who sent it, for messages.</param>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Protocol"/>: not such a stream, damaged, or for another purpose;
    /// <see cref="ErrorCode.Unsupported"/>: another version or a flag that must be understood.</exception>
    public static Preamble Read(ReadOnlySpan<byte> bytes, StreamPurpose purpose, string name)
    {
        if (!bytes[..8].SequenceEqual(Magic))
            throw new MigrateException(ErrorCode.Protocol, $"{name} does not speak vmmigrate: at offset 0 it sent {Convert.ToHexStringLower(bytes[..8])} instead of the magic");
        // Before the checksum: a later version may put it elsewhere.
        var version = BinaryPrimitives.ReadUInt16LittleEndian(bytes[8..]);
        if (version != CurrentVersion)
            throw new MigrateException(ErrorCode.Unsupported, $"{name} speaks format version {version}, this build {CurrentVersion}")
            {
                Remedy = version > CurrentVersion ? "Update vmmigrate on this side." : "Update vmmigrate on the other side.",
            };
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[20..]) != Crc32C.Of(bytes[..20]))
            throw new MigrateException(ErrorCode.Protocol, $"the preamble of {name} is damaged: its checksum at offset 20 does not fit");
        var read = new Preamble(
            version,
            (StreamPurpose)BinaryPrimitives.ReadUInt16LittleEndian(bytes[10..]),
            BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]),
            BinaryPrimitives.ReadUInt32LittleEndian(bytes[16..]));
        if (read.Purpose != purpose)
            throw new MigrateException(ErrorCode.Protocol, $"{name} is {Describe(read.Purpose)}, not {Describe(purpose)}");
        if ((read.Flags & Tls) != 0)
            throw new MigrateException(ErrorCode.Unsupported, $"{name} asks for TLS, which this build does not have");
        if ((read.Flags & MustBeUnderstood) != 0)
            throw new MigrateException(ErrorCode.Unsupported, $"{name} sets preamble flags 0x{read.Flags & MustBeUnderstood:x}, which this build does not know");
        if (read.Length is < Size or > MaxLength)
            throw new MigrateException(ErrorCode.Protocol, $"the preamble of {name} claims {read.Length} bytes; {Size} to {MaxLength} are possible");
        return read;
    }

    private static string Describe(StreamPurpose purpose) => purpose switch
    {
        StreamPurpose.Transfer => "a migration stream",
        StreamPurpose.Machine => "a machine socket",
        StreamPurpose.Snapshot => "a snapshot",
        _ => $"a stream of the unknown purpose {(ushort)purpose}",
    };
}
