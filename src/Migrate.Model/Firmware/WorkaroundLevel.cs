using Migrate.Model.Registers;

namespace Migrate.Model.Firmware;

/// <summary>The values of the registers SMCCC_ARCH_WORKAROUND_1, _2 and _3, by name.</summary>
/// <remarks>
/// Source: arch/arm64/include/uapi/asm/kvm.h <c>KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_*</c>. Numbers mean different things per workaround, and
/// a higher
/// one promises the guest more; WORKAROUND_2 also has a bit, ENABLED, beside its level.
/// </remarks>
public static class WorkaroundLevel
{
    /// <summary>WORKAROUND_2 only: the mitigation is switched on for this vCPU (KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_ENABLED).</summary>
    public const ulong Enabled = 1UL << 4;

    private const string EnabledSuffix = ", enabled";

    private static readonly string[] Levels = ["not-available", "available", "not-required"];

    private static readonly string[] LevelsOf2 = ["not-available", "unknown", "available", "not-required"];

    /// <summary>
    /// The value's name: <c>not-available</c>, <c>unknown</c>, <c>available</c> or <c>not-required</c>, with <c>, enabled</c> behind it
    /// where that bit is set;
    /// null where the register is no workaround or the value has no name.
    /// </summary>
    public static string? Name(RegisterId id, ulong value)
    {
        if (id != FirmwareRegisters.Workaround2) return IsWorkaround(id) && value < (ulong)Levels.Length ? Levels[value] : null;
        var level = value & ~Enabled;
        if (level >= (ulong)LevelsOf2.Length) return null;
        return level == value ? LevelsOf2[level] : LevelsOf2[level] + EnabledSuffix;
    }

    /// <summary>Reads what <see cref="Name"/> wrote for the same register; anything else is false.</summary>
    public static bool TryParse(RegisterId id, string name, out ulong value)
    {
        value = 0;
        if (!IsWorkaround(id)) return false;
        var second = id == FirmwareRegisters.Workaround2;
        var enabled = second && name.EndsWith(EnabledSuffix, StringComparison.Ordinal);
        var level = Array.IndexOf(second ? LevelsOf2 : Levels, enabled ? name[..^EnabledSuffix.Length] : name);
        if (level < 0) return false;
        value = (uint)level | (enabled ? Enabled : 0);
        return true;
    }

    private static bool IsWorkaround(RegisterId id) =>
        id == FirmwareRegisters.Workaround1 || id == FirmwareRegisters.Workaround2 || id == FirmwareRegisters.Workaround3;
}
