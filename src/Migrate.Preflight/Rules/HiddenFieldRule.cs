using System.Numerics;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;
using Migrate.Preflight.Registers;

namespace Migrate.Preflight.Rules;

/// <summary>ID fields whose value KVM decides by itself or once showed by mistake: where the captured one is refused, another is written and the guest cannot tell.</summary>
/// <remarks>Source: arch/arm64/kvm/sys_regs.c <c>set_id_aa64pfr0_el1</c>, <c>set_id_aa64pfr1_el1</c>, <c>set_id_aa64mmfr2_el1</c>, <c>set_id_aa64dfr0_el1</c>, <c>set_id_dfr0_el1</c>; vgic-init.c <c>kvm_vgic_finalize_idregs</c>.</remarks>
internal static class HiddenFieldRule
{
    private const string Gic = "KVM sets this field from the GIC that the VM has";
    private const string Mpam = "KVM never gave guests MPAM; showing the field was a mistake that newer kernels correct";

    private const string PmuName = "it names the maker of the host's PMU, which KVM does not emulate";

    private enum Substitute
    {
        /// <summary>Zero, or the destination's own value where that alone is taken.</summary>
        ZeroOrOwn,

        /// <summary>The destination's own value.</summary>
        Own,

        /// <summary>None: the kernel changes it by itself, and that does no harm.</summary>
        None,
    }

    /// <summary>Register, the field's bits, the one captured value it holds for (-1: every), what is written instead, and why the guest cannot tell.</summary>
    private static readonly (RegisterId Id, ulong Bits, int Captured, Substitute With, string Why)[] Fields =
    [
        (KnownRegisters.Pfr0, 0xfUL << 24, -1, Substitute.Own, Gic),
        (KnownRegisters.AArch32Pfr1, 0xfUL << 28, -1, Substitute.Own, Gic),
        (KnownRegisters.Pfr2, 0xfUL << 12, -1, Substitute.Own, Gic),
        (KnownRegisters.Pfr0, 0xfUL << 40, -1, Substitute.ZeroOrOwn, Mpam),
        (KnownRegisters.Pfr1, 0xfUL << 16, -1, Substitute.ZeroOrOwn, Mpam),
        (KnownRegisters.Mmfr2, 0xfUL << 24, -1, Substitute.ZeroOrOwn, "nested virtualisation is seen from EL2 alone, which the guest does not have"),
        (KnownRegisters.Dfr0, 0xfUL << 8, 0xf, Substitute.ZeroOrOwn, "an implementation defined PMU is none that KVM emulates"),
        (KnownRegisters.AArch32Dfr0, 0xfUL << 24, 0xf, Substitute.ZeroOrOwn, "an implementation defined PMU is none that KVM emulates"),
        (KnownRegisters.Pfr1, 0xfUL << 40, -1, Substitute.None, "KVM corrects it to match the MTE that the guest has"),
        (KnownRegisters.Pmcr, 0xffUL << 16, -1, Substitute.None, PmuName),
        (KnownRegisters.Pmcr, 0xffUL << 24, -1, Substitute.None, PmuName),
    ];

    /// <summary>Whether a register has such fields.</summary>
    public static bool IsSubject(RegisterId id) => Fields.Any(f => f.Id == id);

    public static RegisterDecision? Relieve(in RegisterCase it)
    {
        if (it.Answer.Kind != AnswerKind.Refused || it.Accepts is not { } accepts || it.Value.Size != 8) return null;
        var value = it.Value.Low;
        var own = it.There?.Reset?.Low ?? 0;
        var why = new List<string>();
        var findings = new List<Finding>();
        foreach (var difference in FieldDifferences.Refused(it.Id, it.Value, accepts, it.There?.Reset))
        {
            if (Find(it, difference.Bits) is not { With: not Substitute.None } field) return null;
            var zero = field.With == Substitute.ZeroOrOwn && difference.Accepted.Values.Contains(0UL);
            value = (value & ~difference.Bits) | (zero ? 0 : own & difference.Bits);
            if (!why.Contains(field.Why)) why.Add(field.Why);
            findings.Add(it.Finding(FindingCode.ValueRefused, Severity.Note, difference.Suffix, RegisterWords.Number(difference.Here),
                difference.ThereWords,
                remedy: $"none needed, another value is written: {field.Why}"));
        }
        // What the rest of the register promises is to be kept all the same.
        findings.AddRange(PromisedFieldRule.Judge(it) ?? []);
        var other = new RegisterValue(value);
        var answer = it.Try(other);
        return answer.IsAccepted
            ? RegisterDecision.Write(other, RegisterPlanner.Expected(it.Id, other, answer), string.Join("; ", why), findings)
            : null;
    }

    /// <summary>Why a change of these bits by the kernel does no harm; null where it may.</summary>
    public static string? HarmlessChange(in RegisterCase it, ulong bits) => Find(it, bits)?.Why;

    private static (Substitute With, string Why)? Find(in RegisterCase it, ulong bits)
    {
        if (it.Id == KnownRegisters.Mmfr2 && it.Context.State.Vm.Features.Has(VcpuFeatures.El2)) return null;
        foreach (var (id, field, captured, with, why) in Fields)
        {
            if (id == it.Id && bits == field && (captured < 0
                || (it.Value.Low & field) >> BitOperations.TrailingZeroCount(field) == (ulong)captured)) return (with, why);
        }
        return null;
    }
}
