namespace Migrate.Model.Foreign;

/// <summary>Hypercall services that a kernel answers by itself, from the release that brought them: kernels without the bitmaps cannot say so.</summary>
/// <remarks>
/// Source: arch/arm64/kvm/hypercalls.c. PV_TIME b48c1a45a190 (5.5), TRNG a8e190cdae1b and the vendor's features 6e085e0ac9cf (5.12), PTP 3bf725699bf6 (5.13).
/// The words are those of a measured profile.
/// </remarks>
internal static class ServiceRules
{
    private static readonly (int Major, int Minor, string Service)[] Since =
        [(5, 12, "trng"), (5, 5, "pv-time"), (5, 12, "func-feat"), (5, 13, "ptp")];

    /// <summary>The services of a kernel.</summary>
    public static EquatableArray<string> Of(KernelVersion version) =>
        Since.Where(s => new KernelVersion(s.Major, s.Minor).CompareTo(version) <= 0).Select(s => s.Service).ToEquatableArray();
}
