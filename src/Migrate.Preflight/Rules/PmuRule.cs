using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Registers;
using Migrate.Preflight.Registers;

namespace Migrate.Preflight.Rules;

/// <summary>PMU registers that a restore does better without.</summary>
/// <remarks>
/// Source: arch/arm64/kvm/sys_regs.c. The *SET and *CLR registers read the same mask; on some kernels a write to *CLR clears it, so that writing both in
/// list order loses it. Linux 5.10 lists PMU registers of a vCPU without the PMU, whose guest accesses are ignored (kvm_arm_pmu_v3_ready).
/// </remarks>
internal static class PmuRule
{
    private static readonly (RegisterId Clear, RegisterId Set)[] Twins =
    [
        (KnownRegisters.PmCountersClear, KnownRegisters.PmCountersSet),
        (KnownRegisters.PmInterruptsClear, KnownRegisters.PmInterruptsSet),
        (KnownRegisters.PmOverflowClear, KnownRegisters.PmOverflowSet),
    ];

    public static RegisterDecision? Relieve(in RegisterCase it)
    {
        foreach (var (clear, set) in Twins)
        {
            // No finding: the mask is written through its twin and nothing is lost.
            if (it.Id == clear && it.Guest(set) == it.Value.Low)
                return RegisterDecision.LeaveOut($"the same mask is written through {RegisterCatalog.Name(set)}; writing this one clears it on some kernels");
        }
        return it.Answer.Kind == AnswerKind.Unknown
            && !it.Context.State.Vm.Features.Has(VcpuFeatures.PmuV3)
            && RegisterCatalog.Find(it.Id) is { Group: RegisterGroup.Pmu }
            ? it.LeftOut("the guest was given no PMU: the value never had an effect") : null;
    }
}
