using System.Globalization;

namespace Migrate.Cli.Output;

/// <summary>Sizes, rates and times as people write them, both ways.</summary>
internal static class Units
{
    private static readonly string[] Binary = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

    public static string Bytes(double bytes)
    {
        var unit = 0;
        while (bytes >= 1024 && unit < Binary.Length - 1)
        {
            bytes /= 1024;
            unit++;
        }
        return string.Create(CultureInfo.InvariantCulture, $"{bytes:0.##} {Binary[unit]}");
    }

    public static string Time(double seconds) => seconds switch
    {
        < 1 => string.Create(CultureInfo.InvariantCulture, $"{seconds * 1000:0.#} ms"),
        < 120 => string.Create(CultureInfo.InvariantCulture, $"{seconds:0.##} s"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{seconds / 60:0.#} min"),
    };

    /// <summary><c>512M</c>, <c>1GiB</c>, <c>4096</c>: binary multiples, as QEMU reads them.</summary>
    public static bool TryBytes(string text, out ulong bytes)
    {
        bytes = 0;
        var digits = text.TakeWhile(c => char.IsAsciiDigit(c) || c == '.').Count();
        if (!double.TryParse(text.AsSpan(0, digits), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)) return false;
        var suffix = text[digits..].Trim().ToUpperInvariant().TrimEnd('B').TrimEnd('I');
        var power = suffix switch { "" => 0, "K" => 1, "M" => 2, "G" => 3, "T" => 4, _ => -1 };
        if (power < 0) return false;
        var value = number * Math.Pow(1024, power);
        if (value is < 0 or > long.MaxValue) return false;
        bytes = (ulong)value;
        return true;
    }

    /// <summary><c>300ms</c>, <c>2s</c>, <c>5m</c>, <c>1h</c>.</summary>
    public static bool TryTime(string text, out TimeSpan time)
    {
        time = default;
        var digits = text.TakeWhile(c => char.IsAsciiDigit(c) || c == '.').Count();
        if (!double.TryParse(text.AsSpan(0, digits), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)) return false;
        var seconds = text[digits..].Trim() switch { "ms" => 0.001, "s" => 1, "m" => 60, "h" => 3600, _ => 0 };
        if (seconds == 0 || number * seconds > TimeSpan.FromDays(365).TotalSeconds) return false;
        time = TimeSpan.FromSeconds(number * seconds);
        return true;
    }
}
