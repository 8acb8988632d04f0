using Migrate.Model.Machines;
using Migrate.Model.Plans;

namespace Migrate.Preflight.Rules;

/// <summary>Memory and the interrupt controller must be aligned, must not overlap and must fit the guest's address space.</summary>
/// <remarks>
/// Source: virt/kvm/kvm_main.c <c>kvm_set_memory_region</c> (EINVAL, EEXIST), arch/arm64/kvm/mmu.c <c>kvm_arch_prepare_memory_region</c> (EFAULT),
/// vgic/vgic-kvm-device.c <c>vgic_check_iorange</c> (EINVAL, E2BIG). Frames: Arm IHI 0069 12.8, 64 KiB each; an ITS has two, a redistributor two per vCPU.
/// </remarks>
internal static class MemoryLayoutRule
{
    /// <summary>The smallest page of any arm64 host; the destination's own page size is <see cref="PageSizeRule"/>'s.</summary>
    public const ulong SmallestPage = 4096;

    private const ulong GicFrame = 64 * 1024;

    private readonly record struct Range(string Name, ulong Base, UInt128 Size, ulong Alignment, bool IsMemory)
    {
        public UInt128 End => Base + Size;

        public override string ToString() => Size == 0 ? $"0x{Base:x}, no bytes" : $"0x{Base:x}-0x{End - 1:x}";
    }

    public static void Examine(PlanContext context)
    {
        var vm = context.State.Vm;
        List<Range> ranges = [.. vm.Memory.Select(m => new Range($"memory slot {m.Slot}", m.GuestAddress, m.Size, SmallestPage, true)),
            .. Frames(vm)];
        foreach (var range in ranges)
        {
            if (range.Base % range.Alignment != 0 || range.Size % range.Alignment != 0 || range.Size == 0)
                context.Find(FindingCode.MemoryLayout, Severity.Refused, range.Name, range.ToString(),
                    $"a multiple of 0x{range.Alignment:x}, not empty", "EINVAL");
            if (range.End > vm.Type.AddressLimit)
            {
                context.Find(range.IsMemory ? FindingCode.IpaSize : FindingCode.MemoryLayout, Severity.Refused, range.Name, range.ToString(),
                    $"below 0x{vm.Type.AddressLimit:x} ({vm.Type.IpaBits} bits)", range.IsMemory ? "EFAULT" : "E2BIG");
            }
        }
        foreach (var group in vm.Memory.GroupBy(m => m.Slot).Where(g => g.Count() > 1))
            context.Find(FindingCode.MemoryLayout, Severity.Refused, $"memory slot {group.Key}", $"{group.Count()} slots of this number",
                answer: "EINVAL");
        Overlaps(context, ranges);
    }

    private static void Overlaps(PlanContext context, List<Range> ranges)
    {
        var sorted = ranges.Where(r => r.Size != 0).OrderBy(r => r.Base).ToArray();
        for (var i = 0; i < sorted.Length; i++)
        {
            for (var j = i + 1; j < sorted.Length && sorted[j].Base < sorted[i].End; j++)
            {
                context.Find(FindingCode.MemoryLayout, Severity.Refused, $"{sorted[i].Name} and {sorted[j].Name}",
                    $"{sorted[i]} and {sorted[j]} overlap",
                    answer: sorted[i].IsMemory && sorted[j].IsMemory ? "EEXIST" : "");
            }
        }
    }

    private static IEnumerable<Range> Frames(VmDescription vm)
    {
        var gic = vm.Gic;
        if (gic.Kind == GicKind.GicV2)
        {
            if (gic.Distributor != 0) yield return new Range("GIC distributor", gic.Distributor, SmallestPage, SmallestPage, false);
            yield break;
        }
        if (gic.Kind != GicKind.GicV3) yield break;
        if (gic.Distributor != 0) yield return new Range("GIC distributor", gic.Distributor, GicFrame, GicFrame, false);
        if (gic.Redistributors != 0) yield return new Range("GIC redistributors", gic.Redistributors,
            (UInt128)(2 * GicFrame) * (uint)vm.VcpuCount, GicFrame, false);
        if (gic.Its != 0) yield return new Range("ITS", gic.Its, 2 * GicFrame, GicFrame, false);
    }
}
