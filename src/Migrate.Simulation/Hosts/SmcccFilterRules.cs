using Migrate.Model.Machines;
using Migrate.Model.Ports;

namespace Migrate.Simulation.Hosts;

/// <summary>The SMCCC filter of one VM, validated in the kernel's order.</summary>
/// <remarks>Source: arch/arm64/kvm/hypercalls.c, <c>kvm_smccc_set_filter</c> and <c>init_smccc_filter</c>. The structure's padding
/// has no place in the model, so its check has none here.</remarks>
internal sealed class SmcccFilterRules
{
    // The Arch owner's two fast-call ranges are the kernel's own from the first insertion on.
    private readonly List<(ulong First, ulong Last)> _taken = [(0x8000_0000, 0x8000_ffff), (0xc000_0000, 0xc000_ffff)];

    public StepAnswer Install(SmcccFilterRange range, bool? hostHasFilter, bool hasRun)
    {
        if (hostHasFilter == false) return new(Errno.ENXIO, "the host has no SMCCC filter");
        var first = (ulong)range.Base;
        var last = first + range.Count - 1;
        if (range.Count == 0) return new(Errno.EINVAL, "the range is empty");
        if (last > uint.MaxValue) return new(Errno.EINVAL, "the range ends beyond the last function id");
        if (!Enum.IsDefined(range.Action)) return new(Errno.EINVAL, $"no action has the number {(int)range.Action}");
        if (hasRun) return new(Errno.EBUSY, "a vCPU has run");
        foreach (var taken in _taken)
            if (first <= taken.Last && last >= taken.First)
                return new(Errno.EEXIST, $"overlaps 0x{taken.First:x8} to 0x{taken.Last:x8}");
        _taken.Add((first, last));
        return StepAnswer.Ok;
    }
}
