using System.Globalization;

namespace Migrate.Model.Firmware;

/// <summary>A PSCI version, as the guest reads it from PSCI_VERSION.</summary>
/// <param name="Major">0 to 32767.</param>
/// <param name="Minor">0 to 65535.</param>
/// <remarks>
/// Source: Arm DEN 0022 PSCI_VERSION (major in bits 30:16, minor in 15:0, bit 31 zero); include/uapi/linux/psci.h
/// <c>PSCI_VERSION_MAJOR_SHIFT</c>.
/// </remarks>
public readonly record struct PsciVersion(int Major, int Minor) : IComparable<PsciVersion>
{
    private const int MaximumMajor = 0x7fff;

    private const int MaximumMinor = 0xffff;

    /// <summary>The value of the register PSCI_VERSION.</summary>
    public ulong ToRegister() => (ulong)Major << 16 | (uint)Minor;

    /// <summary>Reads a value of the register PSCI_VERSION; false where a bit above 30 is set, which no version has.</summary>
    public static bool TryFromRegister(ulong value, out PsciVersion version)
    {
        version = value >> 31 == 0 ? new PsciVersion((int)(value >> 16), (int)(value & MaximumMinor)) : default;
        return value >> 31 == 0;
    }

    /// <summary>Reads <c>1.1</c>: two decimal numbers without sign, blanks or leading zeros.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out PsciVersion version)
    {
        version = default;
        var dot = text.IndexOf('.');
        if (dot < 0 || !TryNumber(text[..dot], MaximumMajor, out var major)) return false;
        if (!TryNumber(text[(dot + 1)..], MaximumMinor, out var minor)) return false;
        version = new PsciVersion(major, minor);
        return true;
    }

    /// <inheritdoc/>
    public int CompareTo(PsciVersion other) => ToRegister().CompareTo(other.ToRegister());

    /// <summary><c>1.1</c>: what <see cref="TryParse"/> reads.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Major}.{Minor}");

    private static bool TryNumber(ReadOnlySpan<char> digits, int maximum, out int number) =>
        int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out number)
        && number <= maximum
        && (digits.Length == 1 || digits[0] != '0');
}
