using System.Buffers.Binary;

namespace Migrate.Kvm.Vmm;

/// <summary>Everything that a PL011 remembers, and how it travels.</summary>
/// <remarks>
/// Version 1, little-endian: CR, IMSC, latched interrupts, IBRD (2 bytes each); LCR_H, FBRD, IFLS, DMACR, ILPR, characters in the FIFO (1 byte
/// each); characters that wait, those in the FIFO included (2 bytes), then these.
/// </remarks>
internal sealed class Pl011State
{
    /// <summary>The version of the encoding.</summary>
    public const int Version = 1;

    /// <summary>Most characters that wait.</summary>
    public const int Longest = 4096;

    /// <summary>Bits of RIS and IMSC: receive, transmit, receive timeout; eleven in all, of which modem lines and errors are never raised.</summary>
    public const int Receive = 1 << 4, Transmit = 1 << 5, ReceiveTimeout = 1 << 6, Interrupts = 0x7ff;

    /// <summary>Bits of CR that are no reserved ones.</summary>
    public const int ControlBits = 0xff87;

    private const int Head = 16;

    /// <summary>UARTCR; transmitter and receiver are on after a reset.</summary>
    public ushort Control { get; set; } = 0x300;

    /// <summary>UARTIMSC.</summary>
    public ushort Mask { get; set; }

    /// <summary>Interrupts that stay until they are cleared.</summary>
    public ushort Latched { get; set; }

    /// <summary>UARTIBRD.</summary>
    public ushort BaudInteger { get; set; }

    /// <summary>UARTLCR_H.</summary>
    public byte LineControl { get; set; }

    /// <summary>UARTFBRD.</summary>
    public byte BaudFraction { get; set; }

    /// <summary>UARTIFLS.</summary>
    public byte FifoLevels { get; set; } = 0x12;

    /// <summary>UARTDMACR.</summary>
    public byte DmaControl { get; set; }

    /// <summary>UARTILPR.</summary>
    public byte LowPower { get; set; }

    /// <summary>Input that the guest has not read, in order.</summary>
    public Queue<byte> Waiting { get; init; } = [];

    /// <summary>How many of these are in the FIFO: at most 16.</summary>
    public int Arrived { get; set; }

    /// <summary>The bytes of it.</summary>
    public byte[] Encode()
    {
        var bytes = new byte[Head + Waiting.Count];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, Control);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(2), Mask);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(4), Latched);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(6), BaudInteger);
        byte[] small = [LineControl, BaudFraction, FifoLevels, DmaControl, LowPower, (byte)Arrived];
        small.CopyTo(bytes, 8);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(14), (ushort)Waiting.Count);
        Waiting.ToArray().CopyTo(bytes, Head);
        return bytes;
    }

    /// <summary>What <see cref="Encode"/> wrote somewhere else.</summary>
    /// <exception cref="HandlerStateException">They are no such bytes.</exception>
    public static Pl011State Decode(int version, ReadOnlySpan<byte> bytes)
    {
        if (version != Version) throw new HandlerStateException($"this build reads version {Version}");
        if (bytes.Length < Head) throw new HandlerStateException($"{bytes.Length} bytes, at least {Head} are needed");
        var count = BinaryPrimitives.ReadUInt16LittleEndian(bytes[14..]);
        if (count > Longest) throw new HandlerStateException($"{count} characters wait, at most {Longest} can");
        if (bytes.Length != Head + count) throw new HandlerStateException($"{bytes.Length} bytes, {count} waiting characters make it {Head + count}");
        var state = new Pl011State
        {
            Control = Within(bytes, 0, ControlBits, "CR"),
            Mask = Within(bytes, 2, Interrupts, "IMSC"),
            Latched = Within(bytes, 4, Transmit, "RIS"),
            BaudInteger = Within(bytes, 6, 0xffff, "IBRD"),
            LineControl = bytes[8],
            BaudFraction = Small(bytes[9], 0x3f, "FBRD"),
            FifoLevels = Small(bytes[10], 0x3f, "IFLS"),
            DmaControl = Small(bytes[11], 7, "DMACR"),
            LowPower = bytes[12],
            Arrived = bytes[13],
            Waiting = new Queue<byte>(bytes[Head..].ToArray()),
        };
        if (state.Arrived > Math.Min(16, (int)count)) throw new HandlerStateException($"{state.Arrived} of {count} waiting characters are in the FIFO, which has 16 places");
        return state;
    }

    private static ushort Within(ReadOnlySpan<byte> bytes, int offset, int bits, string register)
    {
        var value = BinaryPrimitives.ReadUInt16LittleEndian(bytes[offset..]);
        return (value & ~bits) == 0 ? value : throw new HandlerStateException($"{register} = 0x{value:x} has bits outside 0x{bits:x}");
    }

    private static byte Small(byte value, int bits, string register) =>
        (value & ~bits) == 0 ? value : throw new HandlerStateException($"{register} = 0x{value:x} has bits outside 0x{bits:x}");
}
