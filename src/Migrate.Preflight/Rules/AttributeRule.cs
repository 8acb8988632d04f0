using Migrate.Model.Machines;
using Migrate.Model.Plans;

namespace Migrate.Preflight.Rules;

/// <summary>
/// An attribute goes where the destination's VMM knows its name and its kernel has what it needs. A required one that cannot go is a refusal by name,
/// before anything is created; an optional one is carried along unset.
/// </summary>
internal static class AttributeRule
{
    public static void Examine(PlanContext context)
    {
        foreach (var attribute in AttributeTable.InOrder(context.State.Vm.Attributes))
        {
            // Neither is given by a step of its own here: see MemoryTagsRule and CounterOffsetRule.
            if (attribute.Name is VmAttributes.MemoryTags or VmAttributes.CounterOffset) continue;
            // Told to the guest by its VMM, not to KVM: see ConduitRule.
            if (attribute.Name == VmAttributes.Conduit && VmAttributes.Problem(attribute) is null) continue;
            if (Obstacle(context, attribute) is { } finding)
            {
                if (finding.Code != FindingCode.AttributeUnknown || attribute.Required)
                    context.Plan.Add(attribute.Required ? finding : finding with { Severity = Severity.Note, Remedy = "none needed: the guest cannot tell" });
                continue;
            }
            var place = AttributeTable.Find(attribute.Name)?.Place ?? StepPlace.Attributes;
            context.Plan.Add(place, place == StepPlace.Pmu ? new ConfigurePmu(attribute) : new SetAttribute(attribute));
        }
    }

    /// <summary>What stands against giving an attribute; null where nothing does. That nothing is known of the host is said and stands against nothing.</summary>
    private static Finding? Obstacle(PlanContext context, VmAttribute attribute)
    {
        var entry = AttributeTable.Find(attribute.Name);
        if (VmAttributes.Problem(attribute) is { } problem)
            return Refused(context, FindingCode.AttributeUnknown, attribute, "not understood", problem, "", "correct the VM's description");
        if (!context.Destination.KnownAttributes.Contains(attribute.Name))
            return Refused(context, FindingCode.AttributeUnknown, attribute, "required", "unknown", "",
                "choose a destination whose VMM knows it, or create the VM without it");
        if (entry is null) return null;

        var isPmu = entry.Place == StepPlace.Pmu;
        if (isPmu && !context.State.Vm.Features.Has(VcpuFeatures.PmuV3))
            return Refused(context, entry.Missing, attribute, "in use", "vCPUs without pmu_v3", "ENODEV", "correct the VM's description");
        switch (context.Capability(entry.HostCapability))
        {
            case 0:
                return Refused(context, entry.Missing, attribute, Here(attribute), $"no {entry.HostCapability}", isPmu ? "ENXIO" : "EINVAL",
                    "choose a destination whose kernel has it, or create the VM without it");
            case null:
                context.Find(FindingCode.Unproven, Severity.Note, $"attribute {attribute.Name}", Here(attribute),
                    remedy: $"probe the destination: whether it has {entry.HostCapability} is not known", evidence: Evidence.Assumed);
                break;
            case { } most when attribute.Name == VmAttributes.DirtyRing && VmAttributes.NumberOf(attribute) > (ulong)most:
                return Refused(context, entry.Missing, attribute, Here(attribute), $"at most {most} bytes", "E2BIG", "create the VM with a smaller ring");
        }
        return attribute.Name == VmAttributes.PmuName ? OtherPmu(context, attribute) : null;
    }

    /// <summary>A PMU goes by its name. One of another name counts other events, which no register shows.</summary>
    private static Finding? OtherPmu(PlanContext context, VmAttribute attribute)
    {
        const string prefix = "pmu.";
        var there = context.Destination.Capabilities.Where(c => c.Value > 0 && c.Name.StartsWith(prefix, StringComparison.Ordinal))
            .Select(c => c.Name[prefix.Length..]).ToList();
        var name = VmAttributes.TextOf(attribute);
        if (there.Contains(name)) return null;
        if (there.Count > 0)
            return Refused(context, FindingCode.Pmu, attribute, name, string.Join(", ", there), "ENXIO",
                "choose a destination that has this PMU, or accept pmu for the one that the destination gives by default");
        context.Find(FindingCode.Unproven, Severity.Note, $"attribute {attribute.Name}", name,
            remedy: "probe the destination: the names of its PMUs are not known", evidence: Evidence.Assumed);
        return null;
    }

    private static string Here(VmAttribute attribute) => attribute.Type == AttributeType.Flag ? "in use" : VmAttributes.Describe(attribute);

    private static Finding Refused(PlanContext context, FindingCode code, VmAttribute attribute, string here, string there, string answer, string remedy) => new()
    {
        Code = code,
        Severity = Severity.Refused,
        Evidence = context.Destination.Evidence,
        Subject = $"attribute {attribute.Name}",
        Here = here,
        There = there,
        Answer = answer,
        Remedy = remedy,
    };
}
