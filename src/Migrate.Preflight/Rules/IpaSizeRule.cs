using System.Globalization;
using Migrate.Model.Plans;

namespace Migrate.Preflight.Rules;

/// <summary>The guest's physical address size is fixed at creation; the destination must accept the very same.</summary>
/// <remarks>Source: arch/arm64/kvm/arm.c <c>kvm_arch_init_vm</c>, mmu.c <c>kvm_init_ipa_range</c>: any other size is EINVAL.</remarks>
internal static class IpaSizeRule
{
    private const ulong SizeBits = 0xff;
    private const ulong Protected = 1UL << 31;

    public static void Examine(PlanContext context)
    {
        var type = context.State.Vm.Type;
        if (type.IsProtected)
        {
            context.Find(FindingCode.IpaSize, Severity.Refused, "VM type", type.ToString(),
                // Only a host that makes protected VMs takes the type; it then refuses to log and to share memory.
                answer: context.Destination.Boot.KvmMode == "protected" ? "EPERM" : "EINVAL",
                remedy: "a protected VM keeps its memory from its host: it can be neither logged nor copied");
        }
        if ((type.Raw & ~(SizeBits | Protected)) != 0)
            context.Find(FindingCode.IpaSize, Severity.Refused, "VM type", $"0x{type.Raw:x}", "bits 7:0 and 31", "EINVAL");

        var sizes = context.Destination.IpaSizes;
        if (sizes.Count == 0)
        {
            context.Find(FindingCode.Unproven, Severity.Note, "IPA size", type.ToString(),
                remedy: "probe the destination: its IPA sizes are not known", evidence: Evidence.Assumed);
            return;
        }
        if (sizes.Contains(type.IpaBits)) return;
        context.Find(FindingCode.IpaSize, Severity.Refused, "IPA size", type.ToString(),
            string.Join(", ", sizes.Order().Select(s => s.ToString(CultureInfo.InvariantCulture))), "EINVAL",
            $"create the VM with an IPA size that every host accepts, at most {sizes.Max()} bits here");
    }
}
