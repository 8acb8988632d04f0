using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Preflight.Registers;

namespace Migrate.Preflight.Rules;

/// <summary>
/// A guest chooses its workarounds for errata at boot, by MIDR_EL1 and REVIDR_EL1, and patches itself once. On another CPU they do not fit: not when the kernel
/// refuses the registers and they are left out, and not when it keeps them, which only hides the change.
/// </summary>
/// <remarks>
/// Source: arch/arm64/kernel/cpu_errata.c, proton-pack.c (patched once, from the boot CPU's and each further CPU's MIDR); arch/arm64/kvm/sys_regs.c
/// <c>set_imp_id_reg</c>: with KVM_CAP_ARM_WRITABLE_IMP_ID_REGS any value (MIDR_EL1: bits 31:0), without it the host's alone. A shape is measured without
/// capabilities, so that answer is assumed. AIDR_EL1 has no meaning that software may use; it is compared where a kernel refuses it.
/// </remarks>
internal static class ImplementationRule
{
    private const string Remedy = "choose a destination with the same CPU (model, revision and REVIDR_EL1), or accept implementation-id by name and restart the guest there: it chose its workarounds for errata by this register";

    public static IReadOnlyList<PromisedField> Fields { get; } = [Of(KnownRegisters.Midr), Of(KnownRegisters.Revidr)];

    /// <summary>Writes the guest's identity where the VM may have another than the hardware's, which no shape without that capability shows.</summary>
    public static RegisterDecision? Relieve(in RegisterCase it)
    {
        if (!KnownRegisters.IsImplementationId(it.Id) || it.Context.Capability(Name) is not > 0 || !IsWritable(it.Context)) return null;
        if (it.Id == KnownRegisters.Midr && it.Value.Low > uint.MaxValue) return null;
        var assumed = it.Finding(FindingCode.Unproven, Severity.Note, there: "taken from a VM with " + VmAttributes.WritableImplementation, answer: "",
            remedy: "try it on the destination (check --dry-run): hosts are measured without this capability");
        assumed = assumed with { Evidence = Evidence.Assumed };
        return RegisterDecision.Write(it.Value, it.Value, "", [assumed, .. PromisedFieldRule.Judge(it) ?? []]);
    }

    private static string Name => VmAttributes.WritableImplementation[VmAttributes.CapabilityPrefix.Length..];

    private static bool IsWritable(PlanContext context)
    {
        foreach (var attribute in context.State.Vm.Attributes)
            if (attribute.Name == VmAttributes.WritableImplementation) return true;
        return false;
    }

    private static PromisedField Of(Migrate.Model.Registers.RegisterId id) => new(id, "", ulong.MaxValue, FindingCode.ImplementationId,
        static (here, there) => here != there, Remedy);
}
