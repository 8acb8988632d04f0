using Migrate.Model.Plans;

namespace Migrate.Preflight.Rules;

/// <summary>
/// What CTR_EL0 says about caches decides which maintenance a guest leaves out and in which steps it does the rest: claimed where the hardware does not keep it,
/// the guest executes stale instructions or reads stale memory, and nobody is told. A weaker claim than the hardware's only costs time.
/// </summary>
/// <remarks>
/// Source: Arm ARM (DDI 0487) CTR_EL0, D7.5.9; arch/arm64/kernel/cpufeature.c <c>ftr_ctr</c>: DIC and IDC are safe when lower, line sizes too, CWG and ERG when
/// higher or zero (0 is the architectural maximum). KVM refuses such a claim where the register is restored (sys_regs.c <c>set_ctr_el0</c>); left out, it goes unseen.
/// </remarks>
internal static class CacheClaimRule
{
    private const string Remedy = "choose a destination with the same caches, or create the VM with the weaker claim, where the source's kernel lets CTR_EL0 be set";

    public static IReadOnlyList<PromisedField> Fields { get; } =
    [
        Of("IminLine", 0xf, Higher), Of("DminLine", 0xfUL << 16, Higher),
        // A guest aligns what it must not share by CWG and ERG: a larger granule there than it was told of breaks that.
        Of("ERG", 0xfUL << 20, SmallerGranule), Of("CWG", 0xfUL << 24, SmallerGranule),
        Of("IDC", 1UL << 28, Higher), Of("DIC", 1UL << 29, Higher),
        // 0b11 PIPT promises that no alias exists; 0b10 VIPT does not.
        Of("L1Ip", 0x3UL << 14, Higher),
    ];

    private static bool Higher(ulong here, ulong there) => here > there;

    private static bool SmallerGranule(ulong here, ulong there) => here != 0 && (there == 0 || here < there);

    private static PromisedField Of(string name, ulong bits, Func<ulong, ulong, bool> isBroken) =>
        new(KnownRegisters.CacheType, name, bits, FindingCode.CacheClaim, isBroken, Remedy);
}
