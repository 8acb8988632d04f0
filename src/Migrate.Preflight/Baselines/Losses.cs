using Migrate.Model.Machines;
using Migrate.Model.Registers;

namespace Migrate.Preflight.Baselines;

/// <summary>A field that a configuration changes on a host.</summary>
/// <param name="Id">The register.</param>
/// <param name="Subject">Register and field by name.</param>
/// <param name="Mask">The field's bits; all ones for a register as a whole.</param>
/// <param name="Own">The host's own value of the register.</param>
/// <param name="OwnWords">The host's own value of the field.</param>
/// <param name="BaselineWords">The configuration's.</param>
/// <param name="IsRicher">Whether the host's own is the higher one, as the architecture orders the field.</param>
internal sealed record Loss(RegisterId Id, string Subject, ulong Mask, RegisterValue Own, string OwnWords, string BaselineWords, bool IsRicher)
{
    /// <summary>The setting with this field alone at the host's own value.</summary>
    public RegisterSetting Raise(RegisterSetting setting) => Mask == ulong.MaxValue ? setting with { Value = Own }
        : setting with { Value = new RegisterValue((setting.Value.Low & ~Mask) | (Own.Low & Mask & setting.Mask), setting.Value.Size) };
}

/// <summary>Finds what a setting changes, field by field.</summary>
internal static class Losses
{
    /// <summary>For every host that has the register; equal ones of several hosts are one.</summary>
    public static IEnumerable<Loss> Of(RegisterSetting setting, IReadOnlyList<HostView> hosts) => hosts.SelectMany(host => Of(setting, host)).Distinct();

    /// <summary>For one host.</summary>
    public static IEnumerable<Loss> Of(RegisterSetting setting, HostView host)
    {
        if (!host.Own.TryGet(setting.Id, out var own)) yield break;
        var wanted = setting.Apply(own);
        foreach (var difference in RegisterText.Differences(setting.Id, own, wanted))
        {
            var isWhole = own.Size > 8 || RegisterCatalog.Find(setting.Id) is not { Fields.Count: > 0 };
            var mask = isWhole ? ulong.MaxValue : difference.Mask;
            yield return new Loss(setting.Id, difference.Where, mask, own, difference.Here, difference.There, IsHigher(setting.Id, mask, own, wanted));
        }
    }

    private static bool IsHigher(RegisterId id, ulong mask, RegisterValue own, RegisterValue wanted)
    {
        if (own.Size > 8) return string.CompareOrdinal(own.ToString(), wanted.ToString()) > 0;
        foreach (var field in RegisterCatalog.Find(id)?.Fields ?? [])
            if (field.Mask == mask) return field.ExtractOrdered(own.Low) > field.ExtractOrdered(wanted.Low);
        return (own.Low & mask) > (wanted.Low & mask);
    }
}
