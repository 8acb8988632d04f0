using System.Buffers.Binary;
using Migrate.Transfer.Wire;

namespace Migrate.Tests.Transfer.Wire;

/// <summary>Streams that were right once.</summary>
internal static class Mutations
{
    private static readonly ulong[] Nasty = [0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, ulong.MaxValue, 1UL << 63, 4096, 1 << 20];

    /// <summary>One to four changes: a bit, a byte, a nasty number, a cut, a doubled or moved piece.</summary>
    public static byte[] Of(byte[] valid, Random random, Action<byte[]> fixChecksums)
    {
        var bytes = (byte[])valid.Clone();
        for (var changes = random.Next(1, 5); changes > 0; changes--)
        {
            var at = random.Next(bytes.Length);
            switch (random.Next(6))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    var number = new byte[8];
                    BinaryPrimitives.WriteUInt64LittleEndian(number, Nasty[random.Next(Nasty.Length)]);
                    var length = Math.Min(1 << random.Next(4), bytes.Length - at);
                    number.AsSpan(0, length).CopyTo(bytes.AsSpan(at));
                    break;
                case 3:
                    bytes = bytes[..Math.Max(1, at)];
                    break;
                case 4:
                    var piece = bytes[at..Math.Min(bytes.Length, at + random.Next(64))];
                    bytes = [.. bytes[..at], .. piece, .. bytes[at..]];
                    break;
                default:
                    bytes = [.. bytes[..at], .. bytes[Math.Min(bytes.Length, at + random.Next(1, 32))..]];
                    if (bytes.Length == 0) bytes = [0];
                    break;
            }
        }
        if (random.Next(2) == 0) fixChecksums(bytes);
        return bytes;
    }

    /// <summary>Gives every frame that can be found from an offset on a right header and, unless it is one of pages, payload checksum.</summary>
    public static void FixFrames(byte[] bytes, int offset)
    {
        while (offset + FrameHeader.Size <= bytes.Length)
        {
            var header = bytes.AsSpan(offset, FrameHeader.Size);
            var length = BinaryPrimitives.ReadUInt64LittleEndian(header[8..]);
            var payload = bytes.AsSpan(offset + FrameHeader.Size);
            if (length > (ulong)payload.Length) length = (ulong)payload.Length;
            payload = payload[..(int)length];
            if (FrameTable.TryFind((FrameKind)BinaryPrimitives.ReadUInt16LittleEndian(header), out var rule) && rule.Check == PayloadCheck.Table)
            {
                var table = payload.Length < 8 ? 0 : (int)Math.Min((long)payload.Length, 8 + 16L * BinaryPrimitives.ReadUInt32LittleEndian(payload[4..]));
                payload = payload[..table];
            }
            BinaryPrimitives.WriteUInt32LittleEndian(header[16..], Crc32C.Of(payload));
            BinaryPrimitives.WriteUInt32LittleEndian(header[20..], Crc32C.Of(header[..20]));
            offset += FrameHeader.Size + (int)length;
        }
    }
}
