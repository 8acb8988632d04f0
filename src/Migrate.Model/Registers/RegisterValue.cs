using System.Buffers.Binary;
using System.Globalization;

namespace Migrate.Model.Registers;

/// <summary>The value of a register of 1 to 256 bytes, little-endian as KVM keeps it in memory. Values up to 8 bytes cost no allocation.</summary>
public readonly struct RegisterValue : IEquatable<RegisterValue>
{
    /// <summary>Bytes of the largest register KVM has (KVM_REG_SIZE_U2048).</summary>
    public const int MaximumSize = 256;

    private readonly ulong _low;
    private readonly byte[]? _wide;
    private readonly short _size;

    /// <summary>A value of up to 8 bytes.</summary>
    public RegisterValue(ulong value, int size = 8)
    {
        if (size is < 1 or > 8) throw new ArgumentOutOfRangeException(nameof(size), size, "a narrow register value has 1 to 8 bytes");
        if (size < 8 && value >> (size * 8) != 0) throw new ArgumentOutOfRangeException(nameof(value), value, $"does not fit in {size} bytes");
        _low = value;
        _size = (short)size;
    }

    /// <summary>A value from its bytes, least significant first; copied.</summary>
    public RegisterValue(ReadOnlySpan<byte> littleEndian)
    {
        if (littleEndian.Length is < 1 or > MaximumSize)
            throw new ArgumentOutOfRangeException(nameof(littleEndian), littleEndian.Length, "a register value has 1 to 256 bytes");
        _size = (short)littleEndian.Length;
        Span<byte> low = stackalloc byte[8];
        littleEndian[..Math.Min(8, littleEndian.Length)].CopyTo(low);
        _low = BinaryPrimitives.ReadUInt64LittleEndian(low);
        if (littleEndian.Length > 8) _wide = littleEndian.ToArray();
    }

    /// <summary>Bytes; 0 only for the default value, which no register has.</summary>
    public int Size => _size;

    /// <summary>The lowest 64 bits: the whole value when <see cref="Size"/> is at most 8.</summary>
    public ulong Low => _low;

    /// <summary>Whether every bit is zero.</summary>
    public bool IsZero => _wide is null ? _low == 0 : !_wide.AsSpan().ContainsAnyExcept((byte)0);

    /// <summary>Copies the value, least significant byte first; returns how many bytes.</summary>
    public int CopyTo(Span<byte> destination)
    {
        if (_wide is not null)
        {
            _wide.CopyTo(destination);
            return _wide.Length;
        }
        for (var i = 0; i < _size; i++) destination[i] = (byte)(_low >> (8 * i));
        return _size;
    }

    /// <summary>The bytes in a new array, least significant first.</summary>
    public byte[] ToArray()
    {
        var bytes = new byte[_size];
        CopyTo(bytes);
        return bytes;
    }

    /// <summary>0x and two digits a byte, most significant first: the width is part of the text.</summary>
    public override string ToString()
    {
        if (_size == 0) return "";
        if (_wide is null) return "0x" + _low.ToString("x" + (_size * 2), CultureInfo.InvariantCulture);
        Span<byte> reversed = stackalloc byte[_wide.Length];
        _wide.CopyTo(reversed);
        reversed.Reverse();
        return "0x" + Convert.ToHexStringLower(reversed);
    }

    /// <summary>The number as a person reads it: no leading zeros.</summary>
    public string ToShortString()
    {
        var digits = ToString().AsSpan(2).TrimStart('0');
        return digits.IsEmpty ? "0" : string.Concat("0x", digits);
    }

    /// <summary>Reads what <see cref="ToString"/> wrote (the 0x is optional); an odd number of digits or more than 256 bytes is refused.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out RegisterValue value)
    {
        value = default;
        if (text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)) text = text[2..];
        if (text.Length is 0 or > MaximumSize * 2 || text.Length % 2 != 0) return false;
        Span<byte> bytes = stackalloc byte[text.Length / 2];
        if (Convert.FromHexString(text, bytes, out _, out _) != System.Buffers.OperationStatus.Done) return false;
        bytes.Reverse();
        value = new RegisterValue(bytes);
        return true;
    }

    /// <inheritdoc/>
    public bool Equals(RegisterValue other) =>
        _size == other._size && _low == other._low && (_wide == other._wide || _wide.AsSpan().SequenceEqual(other._wide));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is RegisterValue other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_low, _size);

    /// <summary>Same size and same bits.</summary>
    public static bool operator ==(RegisterValue left, RegisterValue right) => left.Equals(right);

    /// <summary>Another size or other bits.</summary>
    public static bool operator !=(RegisterValue left, RegisterValue right) => !left.Equals(right);
}
