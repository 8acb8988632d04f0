using Migrate.Model.Plans;

namespace Migrate.Preflight.Rules;

/// <summary>ID_AA64PFR0_EL1.CSV2 and CSV3 are promises about speculation: keeping the value on a host that would not offer it takes the protection away unseen.</summary>
/// <remarks>Source: Arm ARM (DDI 0487) ID_AA64PFR0_EL1; arch/arm64/kvm/sys_regs.c <c>read_sanitised_id_aa64pfr0_el1</c>: 1 where the host is not affected.</remarks>
internal static class MitigationFieldRule
{
    public static IReadOnlyList<PromisedField> Fields { get; } = [Of("CSV2", 56), Of("CSV3", 60)];

    private static PromisedField Of(string name, int shift) => new(KnownRegisters.Pfr0, name, 0xfUL << shift, FindingCode.WorkaroundLevel,
        static (here, there) => there < here, "choose a destination that offers it by itself, or accept workaround-level by name and restart the guest there");
}
