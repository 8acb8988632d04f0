using System.Numerics;
using Migrate.Model.Hosts;
using Migrate.Model.Registers;

namespace Migrate.Preflight.Registers;

/// <summary>One field that stands in the way.</summary>
/// <param name="Suffix">What is appended to the register's name: <c>.ECBHB</c>, or <c> bits 63:60</c> where the bits have no name.</param>
/// <param name="Bits">Its bits in place.</param>
/// <param name="Here">The value at the source.</param>
/// <param name="There">The value at the destination; null where it is not known.</param>
/// <param name="Accepted">The values that the destination takes; none where it is not a matter of acceptance.</param>
internal readonly record struct FieldDifference(string Suffix, ulong Bits, ulong Here, ulong? There, AcceptedValues Accepted)
{
    /// <summary>The destination's side in words.</summary>
    public string ThereWords
    {
        get
        {
            var accepted = Accepted.Words;
            if (There is not { } there) return accepted.Length == 0 ? "" : "accepted: " + accepted;
            return accepted.Length == 0 ? RegisterWords.Number(there) : string.Concat(RegisterWords.Number(there), " (accepted: ", accepted, ")");
        }
    }
}

/// <summary>Brings a refused or changed value down to the fields that differ. Every field is named, not only the first.</summary>
internal static class FieldDifferences
{
    /// <summary>The fields of a refused value that the destination does not take; empty where it cannot be told by field.</summary>
    public static IReadOnlyList<FieldDifference> Refused(RegisterId id, RegisterValue value, Acceptance accepts, RegisterValue? reset)
    {
        if (value.Size > 8) return [];
        var there = reset?.Low;
        switch (accepts.Kind)
        {
            case AcceptanceKind.Fields:
                var wrong = value.Low ^ accepts.Rest;
                foreach (var field in accepts.Fields) wrong = field.Accepts(value.Low) ? wrong & ~field.Bits : wrong | field.Bits;
                return Differences(Split(id, wrong, accepts), value.Low, there, bits => Taken(accepts, bits));
            case AcceptanceKind.OneOf when accepts.Values.Count > 0 && RegisterCatalog.Find(id) is { Fields.Count: > 0 }:
                var nearest = accepts.Values.Count == 1 ? accepts.Values[0] : accepts.Values.MinBy(v => Split(id, v.Low ^ value.Low, null).Count);
                return Differences(Split(id, nearest.Low ^ value.Low, null), value.Low, there ?? nearest.Low,
                    bits => AcceptedValues.Of(accepts.Values, bits));
            default:
                return [];
        }
    }

    /// <summary>The fields that read back otherwise.</summary>
    /// <remarks>A register whose fields have no names is told as a whole unless it identifies the CPU: those are built of nibbles.</remarks>
    public static IReadOnlyList<FieldDifference> Changed(RegisterId id, RegisterValue value, RegisterValue readsBack) =>
        value.Size > 8 || !(KnownRegisters.IsIdentification(id) || RegisterCatalog.Find(id) is { Fields.Count: > 0 }) ? []
        : Differences(Split(id, value.Low ^ readsBack.Low, null), value.Low, readsBack.Low, _ => AcceptedValues.None);

    private static FieldDifference[] Differences(List<(string Suffix, ulong Bits)> parts, ulong here, ulong? there, Func<ulong, AcceptedValues> accepted)
    {
        var differences = new FieldDifference[parts.Count];
        for (var i = 0; i < differences.Length; i++)
        {
            var (suffix, bits) = parts[i];
            differences[i] = new FieldDifference(suffix, bits, In(here, bits), there is { } t ? In(t, bits) : null, accepted(bits));
        }
        return differences;
    }

    private static ulong In(ulong value, ulong bits) => (value & bits) >> BitOperations.TrailingZeroCount(bits);

    /// <summary>Covers the wrong bits by named fields, then by the destination's own fields, then by nibbles; lowest first.</summary>
    private static List<(string Suffix, ulong Bits)> Split(RegisterId id, ulong wrong, Acceptance? accepts)
    {
        var parts = new List<(string Suffix, ulong Bits)>();
        var named = RegisterCatalog.Find(id)?.Fields ?? [];
        for (var i = 0; i < named.Count && wrong != 0; i++)
        {
            var field = named[i];
            if ((wrong & field.Mask) == 0) continue;
            parts.Add(("." + field.Name, field.Mask));
            wrong &= ~field.Mask;
        }
        foreach (var field in accepts is null ? default : accepts.Fields)
        {
            if ((wrong & field.Bits) == 0) continue;
            parts.Add((Range(field.Bits), field.Bits));
            wrong &= ~field.Bits;
        }
        while (wrong != 0)
        {
            var nibble = 0xfUL << (BitOperations.TrailingZeroCount(wrong) & ~3);
            parts.Add((Range(nibble), nibble));
            wrong &= ~nibble;
        }
        parts.Sort((a, b) => a.Bits.CompareTo(b.Bits));
        return parts;
    }

    private static string Range(ulong bits)
    {
        var (low, high) = (BitOperations.TrailingZeroCount(bits), 63 - BitOperations.LeadingZeroCount(bits));
        return low == high ? $" bit {low}" : $" bits {high}:{low}";
    }

    /// <summary>The values that an acceptance leaves to some bits, where they are a field of it or outside all of its fields.</summary>
    private static AcceptedValues Taken(Acceptance accepts, ulong bits)
    {
        var outside = true;
        foreach (var field in accepts.Fields)
        {
            if (field.Bits == bits) return AcceptedValues.Of(field);
            outside &= (field.Bits & bits) == 0;
        }
        return outside ? AcceptedValues.Of(In(accepts.Rest, bits)) : AcceptedValues.None;
    }
}
