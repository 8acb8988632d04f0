using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Migrate.Transfer.Wire;

/// <summary>CRC-32C (Castagnoli, reflected polynomial 0x82f63b78), as iSCSI uses it: RFC 3720, section 12.1.</summary>
public static class Crc32C
{
    /// <summary>The checksum of bytes; of none it is 0.</summary>
    public static uint Of(ReadOnlySpan<byte> bytes) => Append(0, bytes);

    /// <summary>Continues a checksum: <c>Append(Of(a), b)</c> is the checksum of a followed by b.</summary>
    public static uint Append(uint checksum, ReadOnlySpan<byte> bytes)
    {
        var crc = ~checksum;
        foreach (var word in MemoryMarshal.Cast<byte, ulong>(bytes))
            crc = BitOperations.Crc32C(crc, BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word));
        foreach (var last in bytes[(bytes.Length & ~7)..])
            crc = BitOperations.Crc32C(crc, last);
        return ~crc;
    }
}
