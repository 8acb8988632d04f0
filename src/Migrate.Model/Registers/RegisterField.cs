namespace Migrate.Model.Registers;

/// <summary>A named run of bits inside a register of at most 64 bits.</summary>
/// <param name="Name">The architecture's name: <c>ECBHB</c>.</param>
/// <param name="Shift">The lowest bit, 0 to 63.</param>
/// <param name="Width">Bits: 1 to 64, and Shift + Width is at most 64.</param>
/// <param name="Signed">Whether the architecture orders its values as two's complement: 0b1111 is then below 0.</param>
public readonly record struct RegisterField(string Name, int Shift, int Width, bool Signed)
{
    /// <summary>The field's bits in place.</summary>
    public ulong Mask => (Width >= 64 ? ulong.MaxValue : (1UL << Width) - 1) << Shift;

    /// <summary>The field's bits as an unsigned number.</summary>
    public ulong Extract(ulong register) => (register & Mask) >> Shift;

    /// <summary>The field's value as the architecture orders it: negative for a signed field whose top bit is set.</summary>
    public long ExtractOrdered(ulong register)
    {
        var raw = (long)Extract(register);
        return Signed ? raw << (64 - Width) >> (64 - Width) : raw;
    }

    /// <summary>The register with this field set to <paramref name="value"/> (unsigned bits) and every other bit kept.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value has more bits than the field.</exception>
    public ulong Insert(ulong register, ulong value)
    {
        if (value > Mask >> Shift)
            throw new ArgumentOutOfRangeException(nameof(value), value, $"{Name} has {Width} bits");
        return (register & ~Mask) | value << Shift;
    }
}
