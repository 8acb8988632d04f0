using System.Globalization;

namespace Migrate.Model.Foreign;

/// <summary>The first two numbers of a kernel release: which generation of KVM's rules to assume where nobody asked the host.</summary>
/// <param name="Major">0 to 999.</param>
/// <param name="Minor">0 to 999.</param>
/// <remarks>Assumptions of <see cref="Foreign"/> alone may look at it: distributions carry patches back, so it says little about a real host.</remarks>
internal readonly record struct KernelVersion(int Major, int Minor) : IComparable<KernelVersion>
{
    private const int MaximumDigits = 3;

    /// <summary>Older than every kernel.</summary>
    public static KernelVersion Any => default;

    /// <summary>Reads the start of a release such as <c>6.12.95-1-arm64</c> or <c>7.2</c>.</summary>
    public static bool TryParse(ReadOnlySpan<char> release, out KernelVersion version)
    {
        version = default;
        var dot = release.IndexOf('.');
        if (dot < 0 || !TryNumber(release[..dot], out var major)) return false;
        var rest = release[(dot + 1)..];
        var end = rest.IndexOfAnyExceptInRange('0', '9');
        if (!TryNumber(end < 0 ? rest : rest[..end], out var minor)) return false;
        version = new KernelVersion(major, minor);
        return true;
    }

    /// <inheritdoc/>
    public int CompareTo(KernelVersion other) => (Major, Minor).CompareTo((other.Major, other.Minor));

    /// <summary><c>6.12</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Major}.{Minor}");

    private static bool TryNumber(ReadOnlySpan<char> digits, out int number)
    {
        number = 0;
        return digits.Length <= MaximumDigits && int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }
}
