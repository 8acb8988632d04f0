using System.Collections.Concurrent;
using System.Numerics;
using Migrate.Model;
using Migrate.Model.Hosts;
using Migrate.Model.Registers;

namespace Migrate.Preflight.Registers;

/// <summary>The values that a destination takes for some bits of a register, and how findings say them.</summary>
internal sealed class AcceptedValues
{
    /// <summary>Sets of values below 16 that were put into words already: as most fields have four bits, nearly all. There are no more than 65,536.</summary>
    private static readonly ConcurrentDictionary<ushort, AcceptedValues> ByMask = [];

    private AcceptedValues(IReadOnlyList<ulong> ascending) => (Values, Words) = (ascending, RegisterWords.Numbers(ascending));

    /// <summary>Not known, or not a matter of acceptance.</summary>
    public static AcceptedValues None { get; } = new([]);

    /// <summary>The values, ascending.</summary>
    public IReadOnlyList<ulong> Values { get; }

    /// <summary>The values in words: <c>0-3, 0xf</c>; empty where there are none.</summary>
    public string Words { get; }

    /// <summary>The values of a field.</summary>
    public static AcceptedValues Of(FieldAcceptance field) => Of((ushort)(field.Mask & ((1UL << (1 << field.Width)) - 1)));

    /// <summary>One value.</summary>
    public static AcceptedValues Of(ulong value) => value < 16 ? Of((ushort)(1 << (int)value)) : new([value]);

    /// <summary>What whole values of a register leave to some of its bits.</summary>
    public static AcceptedValues Of(EquatableArray<RegisterValue> values, ulong bits)
    {
        var (shift, mask) = (BitOperations.TrailingZeroCount(bits), 0u);
        foreach (var value in values)
        {
            var field = (value.Low & bits) >> shift;
            if (field >= 16) return new([.. values.Select(v => (v.Low & bits) >> shift).Distinct().Order()]);
            mask |= 1u << (int)field;
        }
        return Of((ushort)mask);
    }

    private static AcceptedValues Of(ushort mask) => ByMask.GetOrAdd(mask,
        static mask => new AcceptedValues([.. Enumerable.Range(0, 16).Where(v => (mask >> v & 1) != 0).Select(v => (ulong)v)]));
}
