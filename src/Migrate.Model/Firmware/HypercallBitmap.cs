using System.Globalization;
using System.Numerics;
using Migrate.Model.Registers;

namespace Migrate.Model.Firmware;

/// <summary>One service a guest may call, as a bit of a hypercall bitmap.</summary>
/// <param name="Bit">0 to 63.</param>
/// <param name="Name">KVM's name for it: <c>PV_TIME</c>.</param>
public readonly record struct HypercallService(int Bit, string Name);

/// <summary>A firmware pseudo-register whose bits say which hypercalls KVM answers for the guest.</summary>
/// <param name="Name">The register's name: <c>STD_BMAP</c>.</param>
/// <param name="Id">Its KVM id.</param>
/// <param name="Services">Every bit with a name, lowest first. A bit that the host does not offer is refused with EINVAL.</param>
/// <remarks>
/// Source: arch/arm64/include/uapi/asm/kvm.h <c>KVM_REG_ARM_*_BMAP</c>; arch/arm64/kvm/hypercalls.c <c>kvm_arm_set_fw_reg_bmap</c>.
/// </remarks>
public sealed record HypercallBitmap(string Name, RegisterId Id, IReadOnlyList<HypercallService> Services)
{
    /// <summary>The services that are on, for people: <c>FUNC_FEAT, PTP</c>; <c>none</c>; a bit without a name is <c>bit 7</c>.</summary>
    public string Describe(ulong value)
    {
        if (value == 0) return "none";
        var on = new List<string>();
        for (; value != 0; value &= value - 1) on.Add(NameOf(BitOperations.TrailingZeroCount(value)));
        return string.Join(", ", on);
    }

    private string NameOf(int bit)
    {
        foreach (var service in Services)
            if (service.Bit == bit) return service.Name;
        return string.Create(CultureInfo.InvariantCulture, $"bit {bit}");
    }
}
