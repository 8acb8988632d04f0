using System.Numerics;
using Migrate.Model.Firmware;
using Migrate.Model.Hosts;
using Migrate.Model.Plans;
using Migrate.Preflight.Registers;

namespace Migrate.Preflight.Rules;

/// <summary>Every hypercall service that the guest was given must be there, bit by bit.</summary>
/// <remarks>Source: arch/arm64/kvm/hypercalls.c <c>kvm_arm_set_fw_reg_bmap</c>: a bit that the host lacks is EINVAL, a bitmap that it lacks ENOENT.</remarks>
internal static class HypercallBitmapRule
{
    public static RegisterDecision? Relieve(in RegisterCase it)
    {
        if (it.Answer.Kind != AnswerKind.Unknown || FirmwareRegisters.Bitmap(it.Id) is not { } bitmap) return null;
        if (it.Value.IsZero) return it.LeftOut("the guest was given none of these services");
        for (var rest = it.Value.Low; rest != 0; rest &= rest - 1)
            if (!IsServedAnyway(it.Context, bitmap, BitOperations.TrailingZeroCount(rest))) return null;
        return it.LeftOut("the destination answers these services without being told: " + bitmap.Describe(it.Value.Low));
    }

    public static IReadOnlyList<Finding>? Judge(in RegisterCase it)
    {
        if (it.Answer.IsAccepted || FirmwareRegisters.Bitmap(it.Id) is not { } bitmap) return null;
        var findings = new List<Finding>();
        for (var rest = it.Value.Low; rest != 0; rest &= rest - 1)
        {
            var bit = BitOperations.TrailingZeroCount(rest);
            var missing = it.Answer.Kind == AnswerKind.Unknown ? !IsServedAnyway(it.Context, bitmap, bit) : !Offers(it.Accepts, bit);
            if (!missing) continue;
            var service = bitmap.Describe(1UL << bit);
            var suffix = service.StartsWith("bit ", StringComparison.Ordinal) ? " " + service : "." + service;
            findings.Add(it.Finding(FindingCode.HypercallBitmap, Severity.Refused, suffix,
                "1", "0", remedy: $"switch {service} off in {bitmap.Name} when the VM is created, so that the guest never relies on it"));
        }
        return findings.Count > 0 ? findings : null;
    }

    /// <summary>Whether the kernel answers the service although it has no bitmap to say so.</summary>
    private static bool IsServedAnyway(PlanContext context, HypercallBitmap bitmap, int bit) =>
        context.HasService(bitmap.Describe(1UL << bit).ToLowerInvariant().Replace('_', '-'));

    private static bool Offers(Acceptance? accepts, int bit)
    {
        switch (accepts?.Kind)
        {
            case AcceptanceKind.OneOf:
                foreach (var value in accepts.Values)
                    if ((value.Low >> bit & 1) != 0) return true;
                return false;
            case AcceptanceKind.Fields:
                foreach (var field in accepts.Fields)
                {
                    if ((field.Bits >> bit & 1) == 0) continue;
                    for (var value = 0; value < 1 << field.Width; value++)
                        if ((field.Mask >> value & 1) != 0 && (value >> (bit - field.Shift) & 1) != 0) return true;
                    return false;
                }
                return (accepts.Rest >> bit & 1) != 0;
            default:
                return true;
        }
    }
}
