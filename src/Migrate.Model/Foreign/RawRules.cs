using Migrate.Model.Hosts;
using Migrate.Model.Registers;

namespace Migrate.Model.Foreign;

/// <summary>Registers that take everything or almost everything.</summary>
internal static class RawRules
{
    private const ulong TimerStatus = 1UL << 2;

    private const int OsLockShift = 1;

    private const int MaximumVectorQuads = 16;

    /// <summary>Stored as written.</summary>
    /// <remarks>arch/arm64/kvm/sys_regs.c <c>kvm_sys_reg_set_user</c> without a set_user; guest.c <c>set_core_reg</c>, <c>set_sve_reg</c>.</remarks>
    public static RegisterAcceptance Any(AssumedHost host, RegisterId id, RegisterValue reset) =>
        new() { Id = id, Reset = reset, Accepts = Acceptance.Any };

    /// <summary>Accepted; moves by itself.</summary>
    /// <remarks>arch/arm64/kvm/arch_timer.c <c>kvm_arm_timer_set_reg</c>; a control register reads ISTATUS as time decides.</remarks>
    public static RegisterAcceptance Counting(AssumedHost host, RegisterId id, RegisterValue reset) =>
        Any(host, id, reset) with { Stored = StoredAs.Counting };

    /// <summary>Accepted; ISTATUS is dropped.</summary>
    /// <remarks>arch/arm64/kvm/sys_regs.c <c>arch_timer_set_user</c>.</remarks>
    public static RegisterAcceptance TimerControlWithoutStatus(AssumedHost host, RegisterId id, RegisterValue reset) =>
        Any(host, id, reset) with { Stored = new StoredAs { Keep = ~TimerStatus } };

    /// <summary>Accepted and ignored; reads zero.</summary>
    /// <remarks>arch/arm64/kvm/sys_regs.c <c>set_wi_reg</c>, <c>get_raz_reg</c>.</remarks>
    public static RegisterAcceptance Ignored(AssumedHost host, RegisterId id, RegisterValue reset) =>
        Any(host, id, reset) with { Stored = StoredAs.Always(0) };

    /// <summary>Only OSLK may differ.</summary>
    /// <remarks>arch/arm64/kvm/sys_regs.c <c>set_oslsr_el1</c>.</remarks>
    public static RegisterAcceptance OsLock(AssumedHost host, RegisterId id, RegisterValue reset) =>
        Any(host, id, reset) with { Accepts = Acceptance.PerField(reset.Low, [new FieldAcceptance(OsLockShift, 1, 0b11)]) };

    /// <summary>The host's lengths up to any one of them: a length that the host lacks below the longest asked for, or has and is not asked for, is refused.</summary>
    /// <remarks>arch/arm64/kvm/guest.c <c>set_sve_vls</c>. Frozen by KVM_ARM_VCPU_FINALIZE, before the first run.</remarks>
    public static RegisterAcceptance VectorLengths(AssumedHost host, RegisterId id, RegisterValue reset)
    {
        var values = new List<RegisterValue>();
        Span<byte> bytes = stackalloc byte[RegisterValue.MaximumSize];
        for (var quads = 0; quads < MaximumVectorQuads; quads++)
        {
            if ((reset.Low >> quads & 1) == 0) continue;
            bytes.Clear();
            BitConverter.TryWriteBytes(bytes, reset.Low & ((2UL << quads) - 1));
            values.Add(new RegisterValue(bytes[..reset.Size]));
        }
        return Any(host, id, reset) with { FrozenAfterRun = true, Accepts = Acceptance.OneOf([.. values]) };
    }
}
