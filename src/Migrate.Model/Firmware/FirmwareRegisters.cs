using Migrate.Model.Registers;

namespace Migrate.Model.Firmware;

/// <summary>The pseudo-registers that hold what KVM's firmware interface promises the guest.</summary>
/// <remarks>
/// Source: arch/arm64/include/uapi/asm/kvm.h <c>KVM_REG_ARM_FW</c> and <c>KVM_REG_ARM_FW_FEAT_BMAP</c>; arch/arm64/kvm/hypercalls.c.
/// </remarks>
public static class FirmwareRegisters
{
    /// <summary>PSCI version offered to the guest; see <see cref="Firmware.PsciVersion"/>.</summary>
    public static RegisterId PsciVersion { get; } = RegisterId.Firmware(0);

    /// <summary>Level of SMCCC_ARCH_WORKAROUND_1 (Spectre v2).</summary>
    public static RegisterId Workaround1 { get; } = RegisterId.Firmware(1);

    /// <summary>Level of SMCCC_ARCH_WORKAROUND_2 (Spectre v4).</summary>
    public static RegisterId Workaround2 { get; } = RegisterId.Firmware(2);

    /// <summary>Level of SMCCC_ARCH_WORKAROUND_3 (Spectre-BHB).</summary>
    public static RegisterId Workaround3 { get; } = RegisterId.Firmware(3);

    /// <summary>Standard secure services: the true random number generator.</summary>
    public static HypercallBitmap Standard { get; } = new("STD_BMAP", RegisterId.FirmwareBitmap(0), [new(0, "TRNG")]);

    /// <summary>Standard hypervisor services: stolen time.</summary>
    public static HypercallBitmap StandardHypervisor { get; } = new("STD_HYP_BMAP", RegisterId.FirmwareBitmap(1), [new(0, "PV_TIME")]);

    /// <summary>KVM's own services, functions 0 to 63.</summary>
    public static HypercallBitmap VendorHypervisor { get; } =
        new("VENDOR_HYP_BMAP", RegisterId.FirmwareBitmap(2), [new(0, "FUNC_FEAT"), new(1, "PTP")]);

    /// <summary>KVM's own services, functions 64 to 127: they are only advertised, the VMM must answer them.</summary>
    public static HypercallBitmap VendorHypervisor2 { get; } =
        new("VENDOR_HYP_BMAP_2", RegisterId.FirmwareBitmap(3), [new(0, "DISCOVER_IMPL_VER"), new(1, "DISCOVER_IMPL_CPUS")]);

    /// <summary>All hypercall bitmaps.</summary>
    public static IReadOnlyList<HypercallBitmap> Bitmaps { get; } = [Standard, StandardHypervisor, VendorHypervisor, VendorHypervisor2];

    /// <summary>The bitmap with that id, or null.</summary>
    public static HypercallBitmap? Bitmap(RegisterId id)
    {
        foreach (var bitmap in Bitmaps)
            if (bitmap.Id == id) return bitmap;
        return null;
    }

    /// <summary>
    /// The value alone, for people: <c>1.3</c>, <c>available</c>, <c>FUNC_FEAT, PTP</c>; null where the register is not one of these or
    /// the value has no meaning.
    /// </summary>
    public static string? Describe(RegisterId id, ulong value)
    {
        if (id == PsciVersion) return Firmware.PsciVersion.TryFromRegister(value, out var version) ? version.ToString() : null;
        return Bitmap(id)?.Describe(value) ?? WorkaroundLevel.Name(id, value);
    }

    /// <summary>
    /// What the value means to the guest, one phrase: <c>PSCI 1.3</c>, <c>Spectre v2 workaround: available</c>; null as for
    /// <see cref="Describe"/>.
    /// </summary>
    public static string? Explain(RegisterId id, ulong value)
    {
        if (Describe(id, value) is not { } text) return null;
        if (id == PsciVersion) return "PSCI " + text;
        if (id == Workaround1) return "Spectre v2 workaround: " + text;
        if (id == Workaround2) return "Spectre v4 workaround: " + text;
        return id == Workaround3 ? "Spectre-BHB workaround: " + text : $"{Bitmap(id)!.Name} services: {text}";
    }
}
