using Migrate.Model;
using Migrate.Model.Machines;
using Migrate.Model.Plans;

namespace Migrate.Preflight.Rules;

/// <summary>Validates the SMCCC filter exactly as the kernel would, and asks whether the destination has the interface at all.</summary>
/// <remarks>
/// Source: arch/arm64/kvm/hypercalls.c <c>kvm_smccc_set_filter</c>, <c>init_smccc_filter</c>. Kernels without the filter have no device attributes of a VM at all, which is
/// EINVAL (arch/arm64/kvm/arm.c <c>kvm_arch_vm_ioctl</c>), whatever is in the range.
/// </remarks>
internal static class SmcccFilterRule
{
    /// <summary>The Arm architecture calls of both widths, which the first insertion reserves for the kernel.</summary>
    private static readonly (uint First, uint Last)[] Reserved = [(0x8000_0000, 0x8000_ffff), (0xc000_0000, 0xc000_ffff)];

    public static void Examine(PlanContext context)
    {
        var ranges = context.State.Vm.SmcccFilter;
        if (ranges.Count == 0) return;
        switch (context.Destination.HasSmcccFilter)
        {
            case null:
                context.Find(FindingCode.Unproven, Severity.Note, "SMCCC filter",
                    remedy: "probe the destination: whether it has the filter is not known", evidence: Evidence.Assumed);
                break;
            case false:
                context.Find(FindingCode.SmcccFilter, Severity.Refused, "SMCCC filter", $"{ranges.Count} ranges", "no filter", "EINVAL",
                    "choose a destination whose kernel has KVM_ARM_VM_SMCCC_FILTER: without it the guest's calls are answered by the kernel");
                return;
        }
        for (var i = 0; i < ranges.Count; i++) Validate(context, ranges, i);
    }

    private static void Validate(PlanContext context, EquatableArray<SmcccFilterRange> ranges, int index)
    {
        var range = ranges[index];
        var wellFormed = true;
        if (range.Count == 0) Refuse("no function ids", "EINVAL");
        else if (range.Base + (ulong)range.Count - 1 > uint.MaxValue) Refuse("runs past 0xffffffff", "EINVAL");
        if (!Enum.IsDefined(range.Action)) Refuse($"unknown action {(int)range.Action}", "EINVAL");
        if (!wellFormed) return;

        var last = Last(range);
        foreach (var (first, end) in Reserved)
            if (range.Base <= end && first <= last) Refuse($"overlaps the reserved range 0x{first:x}-0x{end:x}", "EEXIST");
        for (var earlier = 0; earlier < index; earlier++)
        {
            var other = ranges[earlier];
            if (other.Count != 0 && range.Base <= Last(other) && other.Base <= last) Refuse($"overlaps {Words(other)}", "EEXIST");
        }

        void Refuse(string why, string answer)
        {
            wellFormed = false;
            context.Find(FindingCode.SmcccFilter, Severity.Refused, $"SMCCC filter {Words(range)}", why, answer: answer,
                remedy: "correct the range in the VM's description");
        }
    }

    private static ulong Last(SmcccFilterRange range) => range.Base + (ulong)range.Count - 1;

    private static string Words(SmcccFilterRange range) => range.Count == 0 ? $"0x{range.Base:x}+0" : $"0x{range.Base:x}-0x{Last(range):x}";
}
