using Migrate.Model.Plans;

namespace Migrate.Preflight.Rules;

/// <summary>A required attribute that the destination's VMM does not know is a refusal by name; an optional one is carried along unset.</summary>
internal static class AttributeRule
{
    public static void Examine(PlanContext context)
    {
        foreach (var attribute in context.State.Vm.Attributes)
        {
            if (context.Destination.KnownAttributes.Contains(attribute.Name))
            {
                context.Plan.Add(StepPlace.Attributes, new SetAttribute(attribute));
            }
            else if (attribute.Required)
            {
                context.Find(FindingCode.AttributeUnknown, Severity.Refused, $"attribute {attribute.Name}", "required", "unknown",
                    remedy: "choose a destination whose VMM knows it, or create the VM without it");
            }
        }
    }
}
