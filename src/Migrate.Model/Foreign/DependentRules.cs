using Migrate.Model.Hosts;
using Migrate.Model.Registers;

namespace Migrate.Model.Foreign;

/// <summary>Registers that exist only while the VM's identification registers say so.</summary>
/// <remarks>arch/arm64/kvm/sys_regs.c <c>tcr2_visibility</c>, <c>s1pie_visibility</c>, <c>s1poe_visibility</c>, <c>sctlr2_visibility</c>, <c>fp8_visibility</c>.</remarks>
internal static class DependentRules
{
    private static readonly RegisterId Mmfr3 = RegisterKinds.Id("ID_AA64MMFR3_EL1");
    private static readonly RegisterId Pfr2 = RegisterKinds.Id("ID_AA64PFR2_EL1");

    /// <summary>With ID_AA64MMFR3.TCRX.</summary>
    public static RegisterAcceptance Tcr2(AssumedHost host, RegisterId id, RegisterValue reset) => With(Mmfr3, 0, host, id, reset);

    /// <summary>With ID_AA64MMFR3.SCTLRX.</summary>
    public static RegisterAcceptance Sctlr2(AssumedHost host, RegisterId id, RegisterValue reset) => With(Mmfr3, 4, host, id, reset);

    /// <summary>With ID_AA64MMFR3.S1PIE.</summary>
    public static RegisterAcceptance PermissionIndirection(AssumedHost host, RegisterId id, RegisterValue reset) => With(Mmfr3, 8, host, id, reset);

    /// <summary>With ID_AA64MMFR3.S1POE.</summary>
    public static RegisterAcceptance PermissionOverlay(AssumedHost host, RegisterId id, RegisterValue reset) => With(Mmfr3, 16, host, id, reset);

    /// <summary>With ID_AA64PFR2.FPMR.</summary>
    public static RegisterAcceptance FloatingPointMode(AssumedHost host, RegisterId id, RegisterValue reset) => With(Pfr2, 32, host, id, reset);

    private static RegisterAcceptance With(RegisterId controller, int shift, AssumedHost host, RegisterId id, RegisterValue reset) =>
        RawRules.Any(host, id, reset) with { When = [new Conditional(controller, shift, 4, 1, null, StoredAs.Unchanged)] };
}
