using System.Numerics;
using Migrate.Model.Hosts;
using Migrate.Model.Registers;

namespace Migrate.Model.Foreign;

/// <summary>Performance monitors.</summary>
internal static class PmuRules
{
    private static readonly RegisterId ControlId = RegisterKinds.Id("PMCR_EL0");
    private static readonly RegisterId Pfr0 = RegisterKinds.Id("ID_AA64PFR0_EL1");
    private static readonly RegisterId Dfr0 = RegisterKinds.Id("ID_AA64DFR0_EL1");

    private const ulong ControlBits = 0xff;
    private const ulong LongCycle = 1UL << 6;
    private const int CountShift = 11;
    private const int CountWidth = 5;
    private const int PmuVersion = 8;

    // PMUVer values with 64-bit event counters: PMUv3.5 (6) and later, but not 15, which is no PMUv3.
    private const ushort LongCounters = 0x7fc0;

    /// <summary>Bits 7:0 are stored; a number of counters above the host's is silently replaced by the host's.</summary>
    /// <remarks>arch/arm64/kvm/sys_regs.c <c>set_pmcr</c>: LC reads one where there is no AArch32.</remarks>
    public static RegisterAcceptance Control(AssumedHost host, RegisterId id, RegisterValue reset)
    {
        var most = Count(reset.Low);
        var counts = new List<StoredField>();
        for (var count = 0; count <= most; count++) counts.Add(new StoredField(CountShift, CountWidth, (ushort)count, (ushort)count));
        var always = (host.Value(Pfr0) & 15) == 2 ? 0 : LongCycle;
        return RawRules.Any(host, id, reset) with
        {
            Stored = new StoredAs { Keep = ControlBits & ~always, Set = (ulong)most << CountShift | always, Fields = counts.ToEquatableArray() },
        };
    }

    /// <summary>The bits of counters that exist are added to those set: a new VM's are random.</summary>
    /// <remarks>arch/arm64/kvm/sys_regs.c <c>set_pmreg</c> (6.12): the SET registers OR.</remarks>
    public static RegisterAcceptance SetAdds(AssumedHost host, RegisterId id, RegisterValue reset) =>
        RawRules.Any(host, id, reset) with { Stored = new StoredAs { Keep = Existing(host) & ~reset.Low, Set = reset.Low } };

    /// <summary>The bits written are cleared: writing back what the register read leaves nothing of it.</summary>
    /// <remarks>arch/arm64/kvm/sys_regs.c <c>set_pmreg</c> (6.12): the CLR registers clear. A bit of a new VM that is not written stays.</remarks>
    public static RegisterAcceptance ClearRemoves(AssumedHost host, RegisterId id, RegisterValue reset)
    {
        var kept = new List<StoredField>();
        for (var rest = reset.Low; rest != 0; rest &= rest - 1) kept.Add(new StoredField(BitOperations.TrailingZeroCount(rest), 1, 0, 1));
        return RawRules.Any(host, id, reset) with { Stored = new StoredAs { Keep = 0, Fields = kept.ToEquatableArray() } };
    }

    /// <summary>The bits of counters that exist are stored.</summary>
    /// <remarks>arch/arm64/kvm/sys_regs.c <c>set_pmreg</c> (7.2), pmu-emul.c <c>kvm_pmu_implemented_counter_mask</c>.</remarks>
    public static RegisterAcceptance Masked(AssumedHost host, RegisterId id, RegisterValue reset) =>
        RawRules.Any(host, id, reset) with { Stored = new StoredAs { Keep = Existing(host) } };

    /// <summary>An event counter has 32 bits.</summary>
    /// <remarks>arch/arm64/kvm/pmu-emul.c <c>kvm_pmu_get_counter_value</c>.</remarks>
    public static RegisterAcceptance Counter32(AssumedHost host, RegisterId id, RegisterValue reset) =>
        RawRules.Any(host, id, reset) with { Stored = new StoredAs { Keep = uint.MaxValue } };

    /// <summary>An event counter has 64 bits where the VM's PMU is PMUv3.5 or later.</summary>
    /// <remarks>arch/arm64/kvm/pmu-emul.c <c>kvm_pmc_is_64bit</c>.</remarks>
    public static RegisterAcceptance CounterByVersion(AssumedHost host, RegisterId id, RegisterValue reset) =>
        Counter32(host, id, reset) with { When = [new Conditional(Dfr0, PmuVersion, 4, LongCounters, Acceptance.Any, StoredAs.Unchanged)] };

    private static int Count(ulong control) => (int)(control >> CountShift) & ((1 << CountWidth) - 1);

    /// <summary>The cycle counter's bit and one for each event counter.</summary>
    private static ulong Existing(AssumedHost host) => 1UL << 31 | ((1UL << Count(host.Value(ControlId))) - 1);
}
