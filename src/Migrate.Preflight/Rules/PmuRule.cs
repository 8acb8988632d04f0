using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;
using Migrate.Preflight.Registers;

namespace Migrate.Preflight.Rules;

/// <summary>PMU registers: those that a restore does better without, and changes that are none.</summary>
/// <remarks>
/// Source: arch/arm64/kvm/sys_regs.c. The *SET and *CLR registers read the same mask; on some kernels a write to *CLR clears it, so that writing both in
/// list order loses it. Linux 5.10 lists PMU registers of a vCPU without the PMU, whose guest accesses are ignored (kvm_arm_pmu_v3_ready).
/// </remarks>
internal static class PmuRule
{
    /// <summary>ID_AA64DFR0_EL1.PMUVer from which event counters have 64 bits (FEAT_PMUv3p5).</summary>
    private const int LongCounters = 6;

    private static readonly RegisterId FirstCounter = RegisterId.System(3, 3, 14, 8, 0);

    /// <summary>Whether a register is one of the PMU.</summary>
    public static bool IsSubject(RegisterId id) => RegisterCatalog.Find(id) is { Group: RegisterGroup.Pmu };

    /// <summary>A change of bits that the guest's PMU does not have is no loss: counters from PMCR_EL0.N on, the upper half of 32-bit counters, what is only written.</summary>
    public static IReadOnlyList<Finding>? Judge(in RegisterCase it)
    {
        if (it.Answer is not { Kind: AnswerKind.Changed, ReadsBack: { } reads } || Existing(it) is not { } bits
            || ((it.Value.Low ^ reads.Low) & bits) != 0) return null;
        var note = it.Finding(FindingCode.SilentlyChanged, Severity.Note, answer: "",
            remedy: "none needed: the bits lost belong to counters that the guest does not have");
        return [note with { Subject = "PMU registers", Register = null, Here = "" }];
    }

    public static RegisterDecision? Relieve(in RegisterCase it)
    {
        // No finding: the mask is written through its other half and nothing is lost.
        if (MaskPairs.Of(it.Id) is { } pair && it.Id == pair.Clear && it.Guest(pair.Set) == it.Value.Low)
            return RegisterDecision.LeaveOut($"the same mask is written through {RegisterCatalog.Name(pair.Set)}; writing this one clears it on some kernels");
        return it.Answer.Kind == AnswerKind.Unknown
            && !it.Context.State.Vm.Features.Has(VcpuFeatures.PmuV3)
            && RegisterCatalog.Find(it.Id) is { Group: RegisterGroup.Pmu }
            ? it.LeftOut("the guest was given no PMU: their values never had an effect", together: "PMU registers") : null;
    }

    /// <summary>The bits that the guest can use; null where the register is no mask and no counter, or its size is not known.</summary>
    private static ulong? Existing(in RegisterCase it)
    {
        if (it.Id == KnownRegisters.PmSoftwareIncrement) return 0;
        if (it.Guest(KnownRegisters.Pmcr) is not { } control) return null;
        var counters = (int)(control >> 11 & 0x1f);
        var id = it.Id;
        if (MaskPairs.Of(id) is not null) return 1UL << 31 | ((1UL << counters) - 1);
        var number = (int)(id.Value - FirstCounter.Value);
        if (id.Value < FirstCounter.Value || number > 30) return null;
        if (number >= counters) return 0;
        return it.Guest(KnownRegisters.Dfr0) is { } debug && (debug >> 8 & 0xf) is > 0 and < LongCounters ? uint.MaxValue : ulong.MaxValue;
    }
}
