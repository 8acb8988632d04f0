namespace Migrate.Kvm.Vmm;

/// <summary>The console: as much of a PL011 as a guest needs to print. It keeps nothing, so there is nothing of it to move.</summary>
/// <remarks>Source: Arm PrimeCell UART (PL011) Technical Reference Manual, DDI 0183, chapter 3.</remarks>
internal sealed class Uart(ulong address, Action<byte> write)
{
    private const ulong Data = 0;
    private const ulong Flags = 0x18;
    private const ulong Identity = 0xfe0;

    /// <summary>Nothing to read, everything sent.</summary>
    private const ulong FlagsEmpty = 1 << 7 | 1 << 4;

    private static readonly byte[] IdentityBytes = [0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1];

    /// <summary>Whether an address is one of its registers.</summary>
    public bool Has(ulong guestAddress) => guestAddress - address < 0x1000;

    /// <summary>What a register reads as.</summary>
    public ulong Read(ulong guestAddress) => (guestAddress - address) switch
    {
        Flags => FlagsEmpty,
        >= Identity and var offset => IdentityBytes[(offset - Identity) / 4],
        _ => 0,
    };

    /// <summary>A write to a register; what is no character changes nothing.</summary>
    public void Write(ulong guestAddress, ulong value)
    {
        if (guestAddress - address == Data) write((byte)value);
    }
}
