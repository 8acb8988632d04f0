using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Registers;
using Migrate.Preflight.Registers;

namespace Migrate.Preflight.Rules;

/// <summary>ID fields whose value KVM decides by itself or once showed by mistake: where the captured one is refused, another is written and the guest cannot tell.</summary>
/// <remarks>Source: arch/arm64/kvm/sys_regs.c <c>set_id_aa64pfr0_el1</c>, <c>set_id_aa64pfr1_el1</c>, <c>set_id_aa64mmfr2_el1</c>, <c>set_id_aa64dfr0_el1</c>, <c>set_id_dfr0_el1</c>; vgic-init.c <c>kvm_vgic_finalize_idregs</c>.</remarks>
internal static class HiddenFieldRule
{
    private const string Gic = "KVM sets this field from the GIC that the VM has";
    private const string Mpam = "KVM never gave guests MPAM; showing the field was a mistake that newer kernels correct";

    private enum Substitute
    {
        Zero,
        DestinationsOwn,
        None,
    }

    /// <summary>Register, lowest bit, the one captured value it holds for (-1: every), what is written instead, and why. All fields are 4 bits wide.</summary>
    private static readonly (RegisterId Id, int Shift, int Captured, Substitute With, string Why)[] Fields =
    [
        (KnownRegisters.Pfr0, 24, -1, Substitute.DestinationsOwn, Gic),
        (KnownRegisters.AArch32Pfr1, 28, -1, Substitute.DestinationsOwn, Gic),
        (KnownRegisters.Pfr2, 12, -1, Substitute.DestinationsOwn, Gic),
        (KnownRegisters.Pfr0, 40, -1, Substitute.Zero, Mpam),
        (KnownRegisters.Pfr1, 16, -1, Substitute.Zero, Mpam),
        (KnownRegisters.Mmfr2, 24, -1, Substitute.Zero, "the guest has no EL2; showing nested virtualisation was a mistake that newer kernels correct"),
        (KnownRegisters.Dfr0, 8, 0xf, Substitute.Zero, "an implementation defined PMU is none that KVM emulates"),
        (KnownRegisters.AArch32Dfr0, 24, 0xf, Substitute.Zero, "an implementation defined PMU is none that KVM emulates"),
        (KnownRegisters.Pfr1, 40, -1, Substitute.None, "KVM corrects it to match the MTE that the guest has"),
    ];

    public static RegisterDecision? Relieve(in RegisterCase it)
    {
        if (it.Answer.Kind != AnswerKind.Refused || it.Accepts is not { } accepts || it.Value.Size != 8) return null;
        var value = it.Value.Low;
        var why = new List<string>();
        foreach (var difference in FieldDifferences.Refused(it.Id, it.Value, accepts, it.There?.Reset))
        {
            if (Find(it, difference.Bits) is not { With: not Substitute.None } field) return null;
            var own = field.With == Substitute.DestinationsOwn ? it.There?.Reset?.Low ?? 0 : 0;
            value = (value & ~difference.Bits) | (own & difference.Bits);
            if (!why.Contains(field.Why)) why.Add(field.Why);
        }
        var other = new RegisterValue(value);
        var answer = it.Try(other);
        return answer.IsAccepted ? RegisterDecision.Write(other, RegisterPlanner.Expected(it.Id, other, answer), string.Join("; ", why)) : null;
    }

    /// <summary>Why a change of these bits by the kernel does no harm; null where it may.</summary>
    public static string? HarmlessChange(in RegisterCase it, ulong bits) => Find(it, bits)?.Why;

    private static (Substitute With, string Why)? Find(in RegisterCase it, ulong bits)
    {
        if (it.Id == KnownRegisters.Mmfr2 && it.Context.State.Vm.Features.Has(VcpuFeatures.El2)) return null;
        foreach (var (id, shift, captured, with, why) in Fields)
        {
            if (id == it.Id && bits == 0xfUL << shift && (captured < 0 || (it.Value.Low >> shift & 0xf) == (ulong)captured)) return (with, why);
        }
        return null;
    }
}
