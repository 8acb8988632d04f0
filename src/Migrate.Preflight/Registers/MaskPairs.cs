using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Registers;

namespace Migrate.Preflight.Registers;

/// <summary>Two registers of the performance monitors that are one mask: the one sets bits of it, the other clears them, both read it.</summary>
/// <remarks>
/// Arm ARM D13.4, PMCNTENSET_EL0 and its like; arch/arm64/kvm/sys_regs.c <c>set_pmreg</c>. Some kernels store what is written through either, others do as the
/// guest's instructions would: which of the two the destination does shows in its answer to its own value, written through the clearing register.
/// </remarks>
internal static class MaskPairs
{
    private static readonly (RegisterId Clear, RegisterId Set)[] All =
    [
        (KnownRegisters.PmCountersClear, KnownRegisters.PmCountersSet),
        (KnownRegisters.PmInterruptsClear, KnownRegisters.PmInterruptsSet),
        (KnownRegisters.PmOverflowClear, KnownRegisters.PmOverflowSet),
    ];

    /// <summary>The pair that a register belongs to; null for none.</summary>
    public static (RegisterId Clear, RegisterId Set)? Of(RegisterId id)
    {
        foreach (var pair in All)
            if (pair.Clear == id || pair.Set == id) return pair;
        return null;
    }

    /// <summary>What both registers of a pair read as once every captured value was written in list order; null where that is not known.</summary>
    /// <param name="shape">The destination.</param>
    /// <param name="pair">Which.</param>
    /// <param name="captured">The values, in the order in which they are written.</param>
    /// <param name="values">Controllers at that moment.</param>
    public static RegisterValue? AtEnd<TValues>(ShapeIndex shape, (RegisterId Clear, RegisterId Set) pair, RegisterSet captured, TValues values)
        where TValues : IRegisterValues, allows ref struct
    {
        if (shape.Find(pair.Clear)?.Reset is not { } own || shape.Find(pair.Set)?.Reset is null) return null;
        if (shape.Predict(pair.Set, new RegisterValue(ulong.MaxValue), values).ReadsBack is not { } existing) return null;
        // A mask that is zero in a new VM does not show what its kernel does.
        var clears = !own.IsZero && shape.Predict(pair.Clear, own, values).ReadsBack is { IsZero: true };
        var mask = own.Low & existing.Low;
        foreach (var (id, value) in captured.Span)
        {
            if (id != pair.Clear && id != pair.Set) continue;
            if (clears) mask = id == pair.Clear ? mask & ~value.Low : mask | (value.Low & existing.Low);
            else if (shape.Predict(id, value, values).ReadsBack is { } stored) mask = stored.Low;
            else return null;
        }
        return new RegisterValue(mask & Readable(shape, pair, captured, values));
    }

    /// <summary>The bits that are read once everything is written: PMINTENSET_EL1 stands before PMCR_EL0, whose N hides the counters that the guest has not
    /// (sys_regs.c <c>get_pmreg</c>).</summary>
    private static ulong Readable<TValues>(ShapeIndex shape, (RegisterId Clear, RegisterId Set) pair, RegisterSet captured, TValues values)
        where TValues : IRegisterValues, allows ref struct
    {
        if (!captured.TryGet(KnownRegisters.Pmcr, out var control) || shape.Predict(KnownRegisters.Pmcr, control, values).ReadsBack is not { } counters) return ulong.MaxValue;
        return shape.Predict(pair.Set, new RegisterValue(ulong.MaxValue), new WithCounters<TValues>(values, counters)).ReadsBack?.Low ?? ulong.MaxValue;
    }

    /// <summary>The controllers of a moment, but for PMCR_EL0, which has this value.</summary>
    private readonly ref struct WithCounters<TValues>(TValues values, RegisterValue counters) : IRegisterValues
        where TValues : IRegisterValues, allows ref struct
    {
        private readonly TValues _values = values;

        public bool TryGet(RegisterId id, out RegisterValue value)
        {
            value = counters;
            return id == KnownRegisters.Pmcr || _values.TryGet(id, out value);
        }
    }
}
