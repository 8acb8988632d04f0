using System.Numerics;
using Migrate.Model.Hosts;
using Migrate.Model.Plans;
using Migrate.Model.Registers;

namespace Migrate.Preflight.Registers;

/// <summary>
/// What is done with a register that the destination refuses and whose findings the operator accepted by name: only the refused fields change, since leaving
/// the whole register out would change all of them to the destination's own, and give the guest services and features that it was never given.
/// </summary>
internal static class VisibleChange
{
    /// <summary>Writes the nearest value that the destination takes field by field; where its answer is not known by field, the register is left out.</summary>
    public static RegisterDecision Of(in RegisterCase it, IReadOnlyList<Finding> findings)
    {
        var names = string.Join(", ", findings.Select(f => f.Code.Text()).Distinct());
        if (it.Accepts is { Kind: AcceptanceKind.Fields } accepts && it.Value.Size == 8)
        {
            var other = new RegisterValue(Nearest(it.Value.Low, accepts, it.There?.Reset?.Low));
            if (other != it.Value && it.Try(other) is { IsAccepted: true } answer)
                return RegisterDecision.Write(other, RegisterPlanner.Expected(it.Id, other, answer), $"accepted by name ({names}): the guest sees the change", findings);
        }
        return RegisterDecision.LeaveOut($"accepted by name ({names}): the destination's own value stays", findings);
    }

    private static ulong Nearest(ulong value, Acceptance accepts, ulong? own)
    {
        var nearest = accepts.Rest;
        foreach (var field in accepts.Fields)
        {
            var wanted = field.Accepts(value) ? field.Extract(value) : Nearest(field, field.Extract(value), own is { } v ? field.Extract(v) : -1);
            nearest = (nearest & ~field.Bits) | (ulong)wanted << field.Shift;
        }
        return nearest;
    }

    /// <summary>The destination's own where it takes that, or the highest below what the guest has (promising less than is there is the safer way), or the least.</summary>
    private static int Nearest(FieldAcceptance field, int here, int own)
    {
        if (own >= 0 && (field.Mask >> own & 1) != 0) return own;
        var below = field.Mask & ((1 << here) - 1);
        return below != 0 ? BitOperations.Log2((uint)below) : BitOperations.TrailingZeroCount((uint)field.Mask);
    }
}
