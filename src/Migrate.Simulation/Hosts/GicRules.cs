using Migrate.Model.Machines;
using Migrate.Model.Ports;

namespace Migrate.Simulation.Hosts;

/// <summary>What the kernel checks when an interrupt controller is created and placed.</summary>
/// <remarks>Source: arch/arm64/kvm/vgic/vgic-init.c, <c>kvm_vgic_create</c>; vgic-kvm-device.c, <c>vgic_check_iorange</c> and
/// <c>vgic_set_common_attr</c>; vgic-its.c for the ITS frame.</remarks>
internal static class GicRules
{
    private const ulong Frame = 0x1_0000;

    public static StepAnswer Check(GicDescription gic, VmType type)
    {
        if (gic.Kind == GicKind.None || !Enum.IsDefined(gic.Kind)) return new(Errno.ENODEV, "no such interrupt controller");
        // At least 32 SPIs on top of the 32 private interrupts, in steps of 32, below 1024.
        if (gic.Interrupts != 0 && (gic.Interrupts is < 64 or > 1023 || gic.Interrupts % 32 != 0))
            return new(Errno.EINVAL, $"{gic.Interrupts} interrupts");
        var align = gic.Kind == GicKind.GicV2 ? 0x1000 : Frame;
        ReadOnlySpan<(string Name, ulong Address, ulong Size)> frames =
            [("distributor", gic.Distributor, align), ("redistributors", gic.Redistributors, 2 * Frame), ("ITS", gic.Its, 2 * Frame)];
        foreach (var (name, address, size) in frames)
        {
            if (address == 0) continue;
            if (address % align != 0) return new(Errno.EINVAL, $"the {name} address 0x{address:x} is not aligned to 0x{align:x}");
            if ((UInt128)address + size > type.AddressLimit) return new(Errno.E2BIG, $"the {name} lies beyond {type.IpaBits} address bits");
        }
        return StepAnswer.Ok;
    }
}
