using Migrate.Model.Hosts;
using Migrate.Model.Plans;
using Migrate.Preflight.Registers;

namespace Migrate.Preflight.Rules;

/// <summary>CNTV_CTL_EL0 and CNTP_CTL_EL0 change by themselves when their timer fires (ISTATUS): a difference there is no finding.</summary>
/// <remarks>Source: arch/arm64/kvm/arch_timer.c <c>read_timer_ctl</c>.</remarks>
internal static class TimerControlRule
{
    private const ulong IStatus = 1 << 2;

    public static IReadOnlyList<Finding>? Judge(in RegisterCase it) =>
        KnownRegisters.IsTimerControl(it.Id) && it.Answer is { Kind: AnswerKind.Changed, ReadsBack: { } reads }
            && (it.Value.Low ^ reads.Low) == IStatus
            ? [] : null;
}
