using System.Globalization;
using System.Numerics;
using Migrate.Model.Firmware;

namespace Migrate.Model.Registers;

/// <summary>Register values and their differences in words for people.</summary>
public static class RegisterText
{
    /// <summary>
    /// The value as a person reads it: <c>1.3</c> for a PSCI version, <c>available</c> for a workaround level, <c>FUNC_FEAT, PTP</c> for a
    /// hypercall bitmap, <c>128, 256, 512 bits</c> for the SVE vector lengths, else hexadecimal without leading zeros.
    /// </summary>
    public static string Describe(RegisterId id, RegisterValue value)
    {
        if (value.Size == 0) return "no value";
        if (id == CoreRegisters.SveLengths && value.Size == id.Size) return Lengths(value);
        return (value.Size == 8 ? FirmwareRegisters.Describe(id, value.Low) : null) ?? value.ToShortString();
    }

    /// <summary>
    /// Where two values of a register differ, highest bit first: by field where the register has fields, with the bits between fields as
    /// <c>bits 63:60</c> (four at a time, as identification registers are built); else the register as a whole. Empty for equal values.
    /// </summary>
    public static IReadOnlyList<RegisterDifference> Differences(RegisterId id, RegisterValue here, RegisterValue there)
    {
        if (here == there) return [];
        var info = RegisterCatalog.Find(id);
        var name = RegisterCatalog.Name(id);
        if (info is null || info.Fields.Count == 0 || here.Size is 0 or > 8 || here.Size != there.Size)
            return [new RegisterDifference(id, name, Mask(id), Describe(id, here), Describe(id, there))];

        var named = info.Fields.Aggregate(0UL, (mask, field) => mask | field.Mask);
        var differences = new List<RegisterDifference>();
        for (var different = here.Low ^ there.Low; different != 0;)
        {
            var bit = BitOperations.Log2(different);
            var place = info.Fields.FirstOrDefault(field => (field.Mask >> bit & 1) != 0);
            var where = $"{name}.{place.Name}";
            if (place.Width == 0)
            {
                place = Between(bit, named);
                where = $"{name} {place.Name}";
            }
            differences.Add(new RegisterDifference(id, where, place.Mask, Number(id, place, here.Low), Number(id, place, there.Low)));
            different &= ~place.Mask;
        }
        return differences;
    }

    private static ulong Mask(RegisterId id) => id.Size switch
    {
        < 8 => (1UL << (8 * id.Size)) - 1,
        8 => ulong.MaxValue,
        _ => 0,
    };

    /// <summary>A field's value (unsigned bits) as a person reads it: <c>15 (none)</c>, <c>-1</c> for a signed field, hexadecimal where the field is wider than four bits.</summary>
    public static string DescribeField(RegisterId id, RegisterField field, ulong value) => Number(id, field, field.Insert(0, value));

    /// <summary>The word for a field's value (unsigned bits); null where it has none.</summary>
    public static string? FieldWord(RegisterId id, RegisterField field, ulong value) => FieldValues.Word(id, field.Name, value);

    private static RegisterField Between(int bit, ulong named)
    {
        var (low, high) = (bit, bit);
        while (low % 4 != 0 && (named >> (low - 1) & 1) == 0) low--;
        while (high % 4 != 3 && (named >> (high + 1) & 1) == 0) high++;
        var name = low == high ? $"bit {low}" : $"bits {high}:{low}";
        return new RegisterField(name, low, high - low + 1, Signed: false);
    }

    private static string Number(RegisterId id, RegisterField field, ulong register)
    {
        var raw = field.Extract(register);
        var number = field.Width > 4 ? $"0x{raw:x}" : field.ExtractOrdered(register).ToString(CultureInfo.InvariantCulture);
        return FieldValues.Word(id, field.Name, raw) is { } word ? $"{number} ({word})" : number;
    }

    private static string Lengths(RegisterValue value)
    {
        if (value.IsZero) return "none";
        Span<byte> bitmap = stackalloc byte[RegisterValue.MaximumSize];
        var bits = value.CopyTo(bitmap) * 8;
        var lengths = new List<string>();
        for (var n = 0; n < bits; n++)
            if ((bitmap[n / 8] >> (n % 8) & 1) != 0) lengths.Add(((n + 1) * 128).ToString(CultureInfo.InvariantCulture));
        return string.Join(", ", lengths) + " bits";
    }
}
