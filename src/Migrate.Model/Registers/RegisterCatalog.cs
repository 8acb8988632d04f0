using System.Collections.Frozen;
using System.Globalization;
using System.Text.RegularExpressions;
using Migrate.Model.Firmware;

namespace Migrate.Model.Registers;

/// <summary>Registers by their architectural names.</summary>
/// <remarks>
/// A name is for people and for what they type; the id alone identifies a register. A register without a name here is carried all the same:
/// a system register is then called by its encoding (<c>S3_0_C0_C4_6</c>), anything else by its hexadecimal id.
/// </remarks>
public static partial class RegisterCatalog
{
    private static readonly RegisterInfo[] Registers = [.. CoreRegisters.All(), .. FirmwareEntries(), .. SystemRegisters()];

    private static readonly FrozenDictionary<RegisterId, RegisterInfo> ById = Registers.ToFrozenDictionary(r => r.Id);

    private static readonly FrozenDictionary<string, RegisterInfo> ByName =
        Registers.ToFrozenDictionary(r => r.Name, StringComparer.OrdinalIgnoreCase);

    /// <summary>Every register with a name.</summary>
    public static IReadOnlyList<RegisterInfo> All => Registers;

    /// <summary>The register's name, its encoding, or its hexadecimal id; never empty, and <see cref="TryFind"/> reads it back.</summary>
    public static string Name(RegisterId id)
    {
        if (ById.TryGetValue(id, out var info)) return info.Name;
        if (id.Class != RegisterClass.System || id != RegisterId.Of(RegisterClass.System, id.Index, 8)) return id.ToString();
        var e = id.Index;
        return $"S{e >> 14}_{(e >> 11) & 7}_C{(e >> 7) & 15}_C{(e >> 3) & 15}_{e & 7}";
    }

    /// <summary>What is known of the register; null where it has no name.</summary>
    public static RegisterInfo? Find(RegisterId id) => ById.GetValueOrDefault(id);

    /// <summary>
    /// Finds a register by its architectural name (case is ignored), by its encoding (<c>S3_0_C0_C4_6</c>) or by its hexadecimal id with
    /// 0x in front.
    /// </summary>
    /// <remarks>
    /// An encoding or id need not have a name. An encoding is taken as KVM numbers registers: S3_3_C14_C0_2 is CNTV_CVAL_EL0.
    /// </remarks>
    public static bool TryFind(string name, out RegisterId id)
    {
        if (ByName.TryGetValue(name, out var info))
        {
            id = info.Id;
            return true;
        }
        if (name.StartsWith("0x", StringComparison.OrdinalIgnoreCase)) return RegisterId.TryParse(name, out id);
        id = default;
        var match = Encoding().Match(name);
        if (!match.Success) return false;
        var part = (int group) => RegisterTable.Number(match.Groups[group].ValueSpan);
        var (crn, crm) = (part(3), part(4));
        if (crn > 15 || crm > 15) return false;
        id = RegisterId.System(part(1), part(2), crn, crm, part(5));
        return true;
    }

    private static IEnumerable<RegisterInfo> FirmwareEntries()
    {
        yield return new RegisterInfo("PSCI_VERSION", FirmwareRegisters.PsciVersion, RegisterGroup.Firmware, []);
        yield return new RegisterInfo("SMCCC_ARCH_WORKAROUND_1", FirmwareRegisters.Workaround1, RegisterGroup.Firmware, []);
        yield return new RegisterInfo("SMCCC_ARCH_WORKAROUND_2", FirmwareRegisters.Workaround2, RegisterGroup.Firmware, []);
        yield return new RegisterInfo("SMCCC_ARCH_WORKAROUND_3", FirmwareRegisters.Workaround3, RegisterGroup.Firmware, []);
        foreach (var bitmap in FirmwareRegisters.Bitmaps)
        {
            RegisterField[] bits = [.. bitmap.Services.Select(s => new RegisterField(s.Name, s.Bit, 1, Signed: false)).Reverse()];
            yield return new RegisterInfo(bitmap.Name, bitmap.Id, RegisterGroup.Hypercall, bits);
        }
    }

    private static IEnumerable<RegisterInfo> SystemRegisters()
    {
        var fields = RegisterTable.Lines(FieldTable.Text)
            .ToDictionary(line => line[0], line => Array.ConvertAll(line[1..], RegisterTable.Field));
        var group = RegisterGroup.None;
        foreach (var words in RegisterTable.Lines(SystemRegisterTable.Text))
        {
            if (words.Length == 1)
            {
                group = Enum.Parse<RegisterGroup>(words[0].AsSpan().Trim("[]"));
                continue;
            }
            var number = (int word) => RegisterTable.Number(words[word].AsSpan().TrimStart("x+"));
            var first = RegisterId.System(number(1), number(2), number(3), number(4), number(5));
            var (count, stride) = words.Length > 6 ? (number(6), number(7)) : (1, 0);
            for (var i = 0; i < count; i++)
            {
                var name = words[0].Replace("#", i.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
                var id = new RegisterId(first.Value + (ulong)(i * stride));
                yield return new RegisterInfo(name, id, group, fields.GetValueOrDefault(name, []));
            }
        }
    }

    [GeneratedRegex(@"\AS([0-3])_([0-7])_C([0-9]{1,2})_C([0-9]{1,2})_([0-7])\z", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Encoding();
}
