using Migrate.Model.Plans;
using Migrate.Preflight.Registers;

namespace Migrate.Preflight.Rules;

/// <summary>The destination must create a vCPU of the guest's features. A combination that nobody measured is unproven; it is never derived from others.</summary>
internal static class VcpuFeaturesRule
{
    public static void Examine(PlanContext context)
    {
        var features = context.State.Vm.Features.Shape;
        if (context.Shape is null)
        {
            context.Find(FindingCode.Unproven, Severity.Note, "vCPU features", features.ToString(), Measured(context),
                remedy: "probe the destination with these features",
                evidence: Evidence.Assumed);
            return;
        }
        var shape = context.Shape.Shape;
        if (shape.Errno == 0) return;
        context.Find(FindingCode.VcpuFeatures, Severity.Refused, "vCPU features", features.ToString(), Measured(context),
            shape.RefusedAt.Length == 0 ? RegisterWords.Errno(shape.Errno) : $"{RegisterWords.Errno(shape.Errno)} at {shape.RefusedAt}",
            "create the VM with features that both hosts offer", context.RegisterEvidence);
    }

    private static string Measured(PlanContext context) =>
        string.Join("; ", context.Destination.Shapes.Where(s => s.Errno == 0).Select(s => s.Features.ToString()).Distinct());
}
