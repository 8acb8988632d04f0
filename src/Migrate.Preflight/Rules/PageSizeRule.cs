using Migrate.Model.Plans;

namespace Migrate.Preflight.Rules;

/// <summary>Memory slots must be whole pages of the destination host.</summary>
/// <remarks>Source: virt/kvm/kvm_main.c <c>kvm_set_memory_region</c>: EINVAL. Slots of whole 64 KiB fit every arm64 host.</remarks>
internal static class PageSizeRule
{
    private const ulong LargestPage = 64 * 1024;

    public static void Examine(PlanContext context)
    {
        var page = (ulong)Math.Max(context.Destination.Boot.PageSize, 0);
        foreach (var slot in context.State.Vm.Memory)
        {
            var bits = slot.GuestAddress | slot.Size;
            if (bits % MemoryLayoutRule.SmallestPage != 0 || bits % (page == 0 ? LargestPage : page) == 0) continue;
            var (name, here) = ($"memory slot {slot.Slot}", $"0x{slot.GuestAddress:x}, 0x{slot.Size:x} bytes");
            if (page == 0)
                context.Find(FindingCode.Unproven, Severity.Note, name, here, remedy: "probe the destination: its page size is not known",
                    evidence: Evidence.Assumed);
            else
                context.Find(FindingCode.PageSize, Severity.Refused, name, here, $"pages of 0x{page:x} bytes", "EINVAL",
                    "create the VM with slots of whole 64 KiB");
        }
    }
}
