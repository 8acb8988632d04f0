using System.Globalization;
using Migrate.Model.Hosts;
using Migrate.Model.Registers;

namespace Migrate.Preflight.Registers;

/// <summary>Values and answers as findings say them.</summary>
internal static class RegisterWords
{
    private const int Shown = 8;

    /// <summary>The names of the errnos that KVM gives here; asm-generic/errno-base.h.</summary>
    public static string Errno(int errno) => errno switch
    {
        0 => "",
        1 => "EPERM",
        2 => "ENOENT",
        6 => "ENXIO",
        7 => "E2BIG",
        8 => "ENOEXEC",
        14 => "EFAULT",
        16 => "EBUSY",
        17 => "EEXIST",
        19 => "ENODEV",
        22 => "EINVAL",
        _ => "errno " + errno.ToString(CultureInfo.InvariantCulture),
    };

    /// <summary>The numbers that fields of eight bits or fewer have: nearly all that are ever said.</summary>
    private static readonly string[] Small = [.. Enumerable.Range(0, 256).Select(value =>
        value < 10 ? value.ToString(CultureInfo.InvariantCulture) : string.Create(CultureInfo.InvariantCulture, $"0x{value:x}"))];

    /// <summary>A field's value: decimal below ten, else hexadecimal.</summary>
    public static string Number(ulong value) =>
        value < (ulong)Small.Length ? Small[value] : string.Create(CultureInfo.InvariantCulture, $"0x{value:x}");

    /// <summary>Ascending numbers with runs of three or more joined: <c>0-3, 0xf</c>.</summary>
    public static string Numbers(IEnumerable<ulong> ascending)
    {
        var parts = new List<string>();
        var all = ascending.ToArray();
        for (var i = 0; i < all.Length;)
        {
            var last = i;
            while (last + 1 < all.Length && all[last + 1] == all[last] + 1) last++;
            if (last - i >= 2)
            {
                parts.Add($"{Number(all[i])}-{Number(all[last])}");
                i = last + 1;
            }
            else
            {
                parts.Add(Number(all[i++]));
            }
        }
        return string.Join(", ", parts);
    }

    /// <summary>The values that the destination takes, for a register without fields.</summary>
    public static string Accepted(RegisterId id, Acceptance? accepts) => accepts?.Kind switch
    {
        AcceptanceKind.Any => "any value",
        AcceptanceKind.OneOf => string.Join("; ", accepts.Values.Take(Shown).Select(v => RegisterText.Describe(id, v)))
            + (accepts.Values.Count > Shown ? "; ..." : ""),
        _ => "",
    };
}
