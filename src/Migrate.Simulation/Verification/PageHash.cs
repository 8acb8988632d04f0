using System.Buffers.Binary;
using System.Numerics;

namespace Migrate.Simulation.Verification;

/// <summary>A fast 128-bit hash of some bytes at some place: four multiply-and-rotate lanes, as XXH64 has them, folded into two numbers.</summary>
internal static class PageHash
{
    private const ulong P1 = 0x9e37_79b1_85eb_ca87;
    private const ulong P2 = 0xc2b2_ae3d_27d4_eb4f;
    private const ulong P3 = 0x1656_67b1_9e37_79f9;

    public static UInt128 Of(ReadOnlySpan<byte> bytes, ulong place)
    {
        ulong a = place + P1, b = place ^ P2, c = place * P3, d = place - P1;
        var rest = bytes;
        for (; rest.Length >= 32; rest = rest[32..])
        {
            a = Round(a, BinaryPrimitives.ReadUInt64LittleEndian(rest));
            b = Round(b, BinaryPrimitives.ReadUInt64LittleEndian(rest[8..]));
            c = Round(c, BinaryPrimitives.ReadUInt64LittleEndian(rest[16..]));
            d = Round(d, BinaryPrimitives.ReadUInt64LittleEndian(rest[24..]));
        }
        foreach (var one in rest) a = Round(a, one + 1UL);
        var length = (ulong)bytes.Length;
        var high = Spread(a ^ BitOperations.RotateLeft(b, 19) ^ BitOperations.RotateLeft(c, 37) + d + length);
        var low = Spread(d ^ BitOperations.RotateLeft(a, 23) ^ BitOperations.RotateLeft(b, 41) + c + high);
        return new UInt128(high, low);
    }

    private static ulong Round(ulong lane, ulong word) => BitOperations.RotateLeft(lane + word * P2, 31) * P1;

    private static ulong Spread(ulong value)
    {
        value = (value ^ value >> 33) * P2;
        value = (value ^ value >> 29) * P3;
        return value ^ value >> 32;
    }
}
