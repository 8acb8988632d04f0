using Migrate.Model.Plans;

namespace Migrate.Preflight.Rules;

/// <summary>What a VMM cannot describe cannot be made again: assigned devices, vhost, and device state of a kind that this build does not know.</summary>
internal static class UndescribableRule
{
    private static readonly string[] KnownDevices = ["vcpu", "gicv2", "gicv3", "its"];

    public static void Examine(PlanContext context)
    {
        foreach (var part in context.Options.Undescribable)
            context.Find(FindingCode.Undescribable, Severity.Refused, part, "in use", remedy: "unplug it before the move",
                evidence: Evidence.Measured);
        foreach (var device in context.State.Devices)
            if (!KnownDevices.Contains(device.Kind))
                context.Find(FindingCode.Undescribable, Severity.Refused, $"device {device.Kind}", "in use", "not known",
                    remedy: "unplug it before the move", evidence: Evidence.Measured);
    }
}
