using System.Globalization;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;

namespace Migrate.Preflight.Rules;

/// <summary>A guest's GICv3 must be one that the destination's kernel can be: of a revision that it takes, with no more priorities and interrupt numbers.</summary>
/// <remarks>
/// Sources: as <see cref="GicV3State"/>. QEMU writes ICC_CTLR_EL1 and neither GICD_IIDR nor GICD_TYPER2 (hw/intc/arm_gicv3_kvm.c <c>kvm_arm_gicv3_put</c>).
/// Another revision would be another controller for the guest: revision 3 lets it invalidate LPIs by registers (GICR_CTLR.CES and IR).
/// </remarks>
internal static class InterruptControllerStateRule
{
    private const string PinRevision = "create the VM with a revision that both hosts keep: its VMM writes GICD_IIDR right after the GIC is initialised, where the source keeps that one";

    private const ulong PriorityBits = 7 << 8;
    private const ulong IdentifierBits = 7 << 11;
    private const ulong ErrorsAndAffinity = 3 << 14;

    public static void Examine(PlanContext context)
    {
        foreach (var device in context.State.Devices)
        {
            if (device.Kind != GicV3State.Kind) continue;
            if (context.Options.Policy != Policy.Qemu)
            {
                if (Find(device, GicV3State.Distributor, GicV3State.Iidr) is { } iidr) ExamineRevision(context, iidr);
                if (Find(device, GicV3State.Distributor, GicV3State.Typer2) is { } typer2 && Own(context, "GICD_TYPER2", GicV3State.OwnTyper2, typer2) is { } ownTyper2 && ownTyper2 != typer2)
                    Refuse(context, "GICD_TYPER2", Hex(typer2), Hex(ownTyper2), "choose a destination whose interrupt controller is the same");
            }
            if (Find(device, GicV3State.CpuSystemRegisters, GicV3State.IccCtlr) is { } control) ExamineControl(context, control);
        }
    }

    private static void ExamineRevision(PlanContext context, ulong iidr)
    {
        if (Own(context, "GICD_IIDR", GicV3State.OwnIidr, iidr) is not { } own) return;
        var (revision, ownRevision) = (GicV3State.Revision(iidr), GicV3State.Revision(own));
        if (GicV3State.WithRevision(own, revision) != iidr)
        {
            Refuse(context, "GICD_IIDR", Hex(iidr), Hex(own), "no host takes it but one whose KVM is built alike: choose another destination");
            return;
        }
        switch (context.Capability(GicV3State.TakesRevision(revision)))
        {
            case GicV3State.Kept:
                return;
            case GicV3State.Ignored:
                context.Find(FindingCode.SilentlyChanged, Severity.Lossy, "GICD_IIDR", $"revision {revision}", $"revision {ownRevision}", $"reads back revision {ownRevision}", PinRevision);
                return;
            default:
                var kept = Enumerable.Range(0, GicV3State.MostRevision + 1).Where(r => context.Capability(GicV3State.TakesRevision(r)) == GicV3State.Kept);
                Refuse(context, "GICD_IIDR", $"revision {revision}", $"revision {string.Join(" or ", kept)}", PinRevision);
                return;
        }
    }

    private static void ExamineControl(PlanContext context, ulong control)
    {
        if (Own(context, "ICC_CTLR_EL1", GicV3State.OwnIccCtlr, control) is not { } own) return;
        if ((control & PriorityBits) > (own & PriorityBits) || (control & IdentifierBits) > (own & IdentifierBits) || ((control ^ own) & ErrorsAndAffinity) != 0)
            Refuse(context, "ICC_CTLR_EL1", Hex(control), Hex(own), "choose a destination whose CPU interface has as many priority and identifier bits, and the same SEIS and A3V");
    }

    /// <summary>What a new GIC of the destination reads there; null, which is told, where nobody measured it.</summary>
    private static ulong? Own(PlanContext context, string register, string capability, ulong here)
    {
        if (context.Capability(capability) is { } own) return (ulong)own;
        context.Find(FindingCode.Unproven, Severity.Note, register, Hex(here), remedy: "probe the destination again: what its interrupt controller takes was not measured", evidence: Evidence.Assumed);
        return null;
    }

    /// <summary>The attribute's value; of a CPU interface's that of its first vCPU: KVM gives all of them the same.</summary>
    private static ulong? Find(DeviceState device, uint group, ulong attribute)
    {
        foreach (var one in device.Attributes)
            if (one.Group == group && (uint)one.Attribute == attribute) return one.Value.Low;
        return null;
    }

    private static void Refuse(PlanContext context, string subject, string here, string there, string remedy) =>
        context.Find(FindingCode.StepRefused, Severity.Refused, subject, here, there, "EINVAL", remedy);

    private static string Hex(ulong value) => string.Create(CultureInfo.InvariantCulture, $"0x{value:x}");
}
