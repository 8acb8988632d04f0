using Migrate.Model.Hosts;
using Migrate.Model.Registers;

namespace Migrate.Model.Foreign;

/// <summary>Identification registers: what the VM is told its CPU is.</summary>
internal static class IdentificationRules
{
    private static readonly RegisterId Pfr0 = RegisterKinds.Id("ID_AA64PFR0_EL1");
    private static readonly RegisterId Dfr0 = RegisterKinds.Id("ID_AA64DFR0_EL1");
    private static readonly RegisterId Dfr0Of32 = RegisterKinds.Id("ID_DFR0_EL1");
    private static readonly RegisterId CacheType = RegisterKinds.Id("CTR_EL0");

    private static readonly KernelVersion RefusesEmptyLevels = new(7, 2);

    private const int Csv2 = 56;
    private const int Csv3 = 60;
    private const int PmuVersion = 8;
    private const int PmuVersion32 = 24;
    private const int ImplementationDefined = 15;

    /// <summary>The host's value and no other.</summary>
    /// <remarks>arch/arm64/kvm/sys_regs.c <c>__set_id_reg</c> (5.10), <c>set_id_reg</c> (6.1), <c>set_invariant_sys_reg</c> up to 6.12.</remarks>
    public static RegisterAcceptance Exact(AssumedHost host, RegisterId id, RegisterValue reset) =>
        new() { Id = id, Scope = RegisterScope.Vm, Reset = reset, Accepts = Acceptance.Exactly(reset) };

    /// <summary>As <see cref="Exact"/>, and another value would meet EBUSY after the first run.</summary>
    /// <remarks>arch/arm64/kvm/sys_regs.c <c>set_imp_id_reg</c> without KVM_CAP_ARM_WRITABLE_IMP_ID_REGS.</remarks>
    public static RegisterAcceptance ExactAndFrozen(AssumedHost host, RegisterId id, RegisterValue reset) =>
        Exact(host, id, reset) with { FrozenAfterRun = true };

    /// <summary>Exact, but ID_AA64PFR0.CSV2 may be given up.</summary>
    /// <remarks>arch/arm64/kvm/sys_regs.c <c>set_id_aa64pfr0_el1</c> (5.10).</remarks>
    public static RegisterAcceptance ExactButCsv2(AssumedHost host, RegisterId id, RegisterValue reset) => ExactBut(host, id, reset, [Csv2]);

    /// <summary>Exact, but ID_AA64PFR0.CSV2 and CSV3 may be given up.</summary>
    /// <remarks>arch/arm64/kvm/sys_regs.c <c>set_id_aa64pfr0_el1</c> (6.1).</remarks>
    public static RegisterAcceptance ExactButCsv2And3(AssumedHost host, RegisterId id, RegisterValue reset) => ExactBut(host, id, reset, [Csv2, Csv3]);

    /// <summary>Exact, or ignored and zero where the CPU has no AArch32.</summary>
    /// <remarks>arch/arm64/kvm/sys_regs.c <c>aa32_id_visibility</c>: REG_RAZ and REG_USER_WI.</remarks>
    public static RegisterAcceptance ExactOrIgnored(AssumedHost host, RegisterId id, RegisterValue reset) =>
        RunsAArch32(host) ? Exact(host, id, reset) : Ignored(host, id, reset);

    /// <summary>By field, or ignored and zero where the CPU has no AArch32.</summary>
    public static RegisterAcceptance ByFieldOrIgnored(AssumedHost host, RegisterId id, RegisterValue reset) =>
        RunsAArch32(host) ? ByField(host, id, reset) : Ignored(host, id, reset);

    /// <summary>Each writable field as the kernel's rule for it says, with the host's value as the limit; every other bit as the host's.</summary>
    /// <remarks>
    /// arch/arm64/kvm/sys_regs.c <c>set_id_reg</c>, <c>arm64_check_features</c>, <c>set_id_aa64dfr0_el1</c>, <c>set_id_dfr0_el1</c>, <c>set_id_aa64pfr0_el1</c>,
    /// <c>set_ctr_el0</c>. A field that KVM hides but takes back at the hardware's value (MPAM, MPAM_frac, NV) is assumed to be refused: a capture does not show
    /// the hardware's value.
    /// </remarks>
    public static RegisterAcceptance ByField(AssumedHost host, RegisterId id, RegisterValue reset)
    {
        var fields = new List<FieldAcceptance>();
        foreach (var rule in WritableFields.Of(id, host.Version))
        {
            var accepted = 0;
            for (var value = 0; value < 1 << rule.Field.Width; value++)
                if (rule.Accepts((ulong)value << rule.Field.Shift, reset.Low) && !RefusedAtOnce(host.Version, id, rule.Field.Shift, value)) accepted |= 1 << value;
            if (IsPmuVersion(id, rule.Field.Shift)) accepted |= 1 << ImplementationDefined;
            fields.Add(new FieldAcceptance(rule.Field.Shift, rule.Field.Width, (ushort)accepted));
        }
        return new RegisterAcceptance
        {
            Id = id,
            Scope = RegisterScope.Vm,
            FrozenAfterRun = true,
            Reset = reset,
            Accepts = fields.Count == 0 ? Acceptance.Exactly(reset) : Acceptance.PerField(reset.Low, fields),
            Stored = Stored(id),
        };
    }

    private static RegisterAcceptance Ignored(AssumedHost host, RegisterId id, RegisterValue reset) =>
        RawRules.Ignored(host, id, reset) with { Scope = RegisterScope.Vm };

    private static RegisterAcceptance ExactBut(AssumedHost host, RegisterId id, RegisterValue reset, ReadOnlySpan<int> shifts)
    {
        var exact = Exact(host, id, reset);
        if (id != Pfr0) return exact;
        var fields = new List<FieldAcceptance>();
        foreach (var shift in shifts) fields.Add(new FieldAcceptance(shift, 4, (ushort)((reset.Low >> shift & 15) == 0 ? 0b01 : 0b11)));
        return exact with { Accepts = Acceptance.PerField(reset.Low, fields) };
    }

    /// <summary>Values that a register's own handler refuses before fields are compared.</summary>
    private static bool RefusedAtOnce(KernelVersion version, RegisterId id, int shift, int value)
    {
        if (id == Dfr0) return shift == 0 && value < 6;
        if (id == Dfr0Of32) return (shift == 0 && value < 6) || (shift == PmuVersion32 && value is 1 or 2);
        if (version.CompareTo(RefusesEmptyLevels) < 0) return false;
        if (id == Pfr0) return shift is 0 or 4 && value == 0;
        return id == CacheType && shift == 14 && value < 2;
    }

    private static bool IsPmuVersion(RegisterId id, int shift) => (id == Dfr0 && shift == PmuVersion) || (id == Dfr0Of32 && shift == PmuVersion32);

    private static StoredAs Stored(RegisterId id)
    {
        if (id == Dfr0) return new StoredAs { Fields = [new StoredField(PmuVersion, 4, ImplementationDefined, 0)] };
        return id == Dfr0Of32 ? new StoredAs { Fields = [new StoredField(PmuVersion32, 4, ImplementationDefined, 0)] } : StoredAs.Unchanged;
    }

    /// <summary>ID_AA64PFR0.EL0 says whether user space runs AArch32.</summary>
    private static bool RunsAArch32(AssumedHost host) => (host.Value(Pfr0) & 15) == 2;
}
