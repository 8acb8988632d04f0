using Migrate.Model.Hosts;
using Migrate.Model.Registers;
using Migrate.Preflight.Registers;

namespace Migrate.Preflight.Rules;

/// <summary>The geometry of a cache that the guest's CLIDR_EL1 does not have: newer kernels list one for every possible cache, older ones for real ones only.</summary>
/// <remarks>Source: Arm ARM CLIDR_EL1.Ctype and CSSELR_EL1; arch/arm64/kvm/sys_regs.c <c>demux_c15_set</c>.</remarks>
internal static class CacheGeometryRule
{
    public static RegisterDecision? Relieve(in RegisterCase it)
    {
        if (it.Id.Class != RegisterClass.Demux || it.Answer.Kind is not (AnswerKind.Unknown or AnswerKind.Refused)) return null;
        if (it.Guest(KnownRegisters.Clidr) is not { } clidr) return null;
        var level = (it.Id.Index & 0xff) >> 1;
        if (level > 6) return null;
        var kind = clidr >> (3 * level) & 7;
        var present = (it.Id.Index & 1) != 0 ? kind is 1 or 3 : kind >= 2;
        return present ? null : it.LeftOut("the guest's CLIDR_EL1 has no such cache", together: "CCSIDR of other caches");
    }
}
