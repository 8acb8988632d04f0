using System.Numerics;
using Migrate.Model.Hosts;
using Migrate.Model.Registers;

namespace Migrate.Preflight.Baselines;

/// <summary>One host's side of a register: its own value, and what it takes and keeps.</summary>
internal readonly record struct HostSide(HostView Host, RegisterValue Own, Acceptance Accepts, StoredAs Stored)
{
    /// <summary>Whether the host takes the value in these bits and keeps it, whatever the other bits are.</summary>
    public bool Keeps(ulong bits, ulong value)
    {
        var whole = (Own.Low & ~bits) | value;
        return Takes(bits, value) && (Stored.Of(new RegisterValue(whole, Own.Size)).Low & bits) == value;
    }

    /// <summary>Whether the bits can be anything else than one value.</summary>
    public bool IsFixed(ulong bits)
    {
        if (Accepts.Kind != AcceptanceKind.Fields) return Accepts.Kind != AcceptanceKind.Any;
        foreach (var field in Accepts.Fields)
            if ((field.Bits & bits) != 0) return false;
        return true;
    }

    private bool Takes(ulong bits, ulong value)
    {
        switch (Accepts.Kind)
        {
            case AcceptanceKind.Any:
                return true;
            case AcceptanceKind.Fields:
                var rest = bits;
                foreach (var field in Accepts.Fields)
                {
                    if ((field.Bits & bits) == 0) continue;
                    if (!field.Accepts(value)) return false;
                    rest &= ~field.Bits;
                }
                return ((value ^ Accepts.Rest) & rest) == 0;
            case AcceptanceKind.OneOf:
                foreach (var accepted in Accepts.Values)
                    if ((accepted.Low & bits) == value) return true;
                return false;
            default:
                return (Own.Low & bits) == value;
        }
    }
}

/// <summary>A run of bits that is chosen on its own, and the values that every host takes and keeps in it, best first.</summary>
/// <param name="Bits">The bits in place; all ones for a register that is chosen as a whole.</param>
/// <param name="Candidates">Values in place; empty where no value suits every host.</param>
internal readonly record struct Component(ulong Bits, IReadOnlyList<RegisterValue> Candidates);

/// <summary>What a set of hosts can agree on for one register.</summary>
/// <remarks>
/// Accepted sets are masks per field, not intervals. The best common value of a field is the highest, as the architecture orders it, that lies within what the
/// hosts have by themselves; where there is none, the one nearest to that: a host's own value tells what is rich, a special value that it also takes does not.
/// </remarks>
internal static class RegisterDomain
{
    /// <summary>Fields up to this width are tried value by value; of wider ones only the hosts' own values.</summary>
    private const int Enumerable = 16;

    /// <summary>The components of a register, lowest bits first.</summary>
    /// <param name="id">Which register.</param>
    /// <param name="sides">Every host that has it, at least one.</param>
    public static IReadOnlyList<Component> Of(RegisterId id, IReadOnlyList<HostSide> sides)
    {
        if (id.Size > 8 || sides.Any(s => s.Accepts is { Kind: AcceptanceKind.OneOf, Values.Count: > 1 })) return [Whole(id, sides)];
        return [.. Runs(id, sides).Select(bits => new Component(bits, Ranked(id, bits, sides)))];
    }

    private static Component Whole(RegisterId id, IReadOnlyList<HostSide> sides)
    {
        var lists = sides.Where(s => s.Accepts.Kind == AcceptanceKind.OneOf).Select(s => s.Accepts.Values.AsEnumerable());
        var values = lists.Append(sides.Select(s => s.Own)).SelectMany(v => v).Distinct()
            .Where(v => sides.All(s => (s.Accepts.Accepts(v) ?? s.Own == v) && s.Stored.Of(v) == v));
        var (least, most) = (sides.Min(s => Number(s.Own)), sides.Max(s => Number(s.Own)));
        return new Component(ulong.MaxValue, [.. values.OrderBy(v => Distance(Number(v), least, most)).ThenByDescending(Number)]);
    }

    private static IReadOnlyList<RegisterValue> Ranked(RegisterId id, ulong bits, IReadOnlyList<HostSide> sides)
    {
        var (shift, width) = (BitOperations.TrailingZeroCount(bits), BitOperations.PopCount(bits));
        var field = new RegisterField("", shift, width, IsSigned(id, bits));
        IEnumerable<ulong> values = width <= Enumerable && !sides.Any(s => s.IsFixed(bits))
            ? System.Linq.Enumerable.Range(0, 1 << width).Select(v => (ulong)v << shift)
            : sides.Select(s => s.Own.Low & bits).Distinct();
        var (least, most) = (sides.Min(s => field.ExtractOrdered(s.Own.Low)), sides.Max(s => field.ExtractOrdered(s.Own.Low)));
        return [.. values.Where(v => sides.All(s => s.Keeps(bits, v)))
            .OrderBy(v => Distance(field.ExtractOrdered(v), least, most)).ThenByDescending(field.ExtractOrdered)
            .Select(v => new RegisterValue(v, id.Size))];
    }

    /// <summary>Fields of the hosts and of the architecture, united where they overlap; nibbles for what is left.</summary>
    private static IEnumerable<ulong> Runs(RegisterId id, IReadOnlyList<HostSide> sides)
    {
        var runs = new List<ulong>();
        foreach (var field in RegisterCatalog.Find(id)?.Fields ?? []) Unite(runs, field.Mask);
        foreach (var side in sides)
            foreach (var field in side.Accepts.Fields) Unite(runs, field.Bits);
        var left = (id.Size < 8 ? (1UL << (8 * id.Size)) - 1 : ulong.MaxValue) & ~runs.Aggregate(0UL, (all, run) => all | run);
        for (var nibble = 0xfUL; nibble != 0; nibble <<= 4)
            if ((left & nibble) != 0) runs.Add(left & nibble);
        runs.Sort();
        return runs;
    }

    private static void Unite(List<ulong> runs, ulong bits)
    {
        foreach (var run in runs)
            if ((run & bits) != 0) bits |= run;
        runs.RemoveAll(run => (run & bits) != 0);
        runs.Add(bits);
    }

    private static bool IsSigned(RegisterId id, ulong bits)
    {
        foreach (var field in RegisterCatalog.Find(id)?.Fields ?? [])
            if (field.Mask == bits) return field.Signed;
        return false;
    }

    private static BigInteger Number(RegisterValue value) => new(value.ToArray(), isUnsigned: true);

    private static BigInteger Distance(BigInteger value, BigInteger least, BigInteger most) =>
        value < least ? least - value : value > most ? value - most : BigInteger.Zero;
}
