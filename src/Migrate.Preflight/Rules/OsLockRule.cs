using Migrate.Model.Hosts;
using Migrate.Preflight.Registers;

namespace Migrate.Preflight.Rules;

/// <summary>The state of the OS lock, on a kernel that does not list it: it always reads as there and not locked, so a guest that does not hold it cannot tell.</summary>
/// <remarks>Source: arch/arm64/kvm/sys_regs.c <c>trap_oslsr_el1</c> before the lock was emulated: bit 3 alone, whatever the guest writes to OSLAR_EL1.</remarks>
internal static class OsLockRule
{
    /// <summary>OSLSR_EL1: implemented (OSLM 0b10), not locked.</summary>
    private const ulong NotLocked = 1 << 3;

    public static RegisterDecision? Relieve(in RegisterCase it) =>
        it.Id == KnownRegisters.OsLockStatus && it.Answer.Kind == AnswerKind.Unknown && it.Value.Low == NotLocked
            ? it.LeftOut("the guest does not hold the OS lock, and a kernel that does not list it says the same") : null;
}
