using Migrate.Model.Firmware;
using Migrate.Model.Registers;

namespace Migrate.Kvm.Probe;

/// <summary>Which values the firmware pseudo-registers are asked for.</summary>
internal static class FirmwareProbe
{
    private const int NewestMinor = 9;
    private const int NewestMajor = 2;

    // Three bits of level, one that no level uses yet, and ENABLED.
    private const ulong Levels = 32;

    /// <summary>Every value to try; null where the register is none of a few known values.</summary>
    public static IReadOnlyList<ulong>? Values(RegisterId id)
    {
        if (id == FirmwareRegisters.PsciVersion) return Versions;
        return id == FirmwareRegisters.Workaround1 || id == FirmwareRegisters.Workaround2 || id == FirmwareRegisters.Workaround3 ? WorkaroundValues : null;
    }

    /// <summary>0.0 to 2.9: two more than any version that exists.</summary>
    private static IReadOnlyList<ulong> Versions { get; } =
        [.. Enumerable.Range(0, NewestMajor + 1).SelectMany(major => Enumerable.Range(0, NewestMinor + 1).Select(minor => new PsciVersion(major, minor).ToRegister()))];

    private static IReadOnlyList<ulong> WorkaroundValues { get; } = [.. Enumerable.Range(0, (int)Levels).Select(v => (ulong)v)];
}
