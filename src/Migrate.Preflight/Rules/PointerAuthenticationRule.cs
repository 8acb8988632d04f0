using Migrate.Model.Plans;
using Migrate.Preflight.Registers;

namespace Migrate.Preflight.Rules;

/// <summary>
/// Signed pointers lie in the guest's memory: another algorithm, or an algorithm of the CPU's maker where the makers differ, and every one of them fails its check.
/// The keys are carried; what they are fed to must be the same.
/// </summary>
/// <remarks>
/// Source: Arm ARM (DDI 0487) ID_AA64ISAR1_EL1.{APA,GPA} QARMA5, {API,GPI} IMPLEMENTATION DEFINED, ID_AA64ISAR2_EL1.{APA3,GPA3} QARMA3. KVM makes the fields
/// those of the host (sys_regs.c <c>__kvm_read_sanitised_id_reg</c>), so equal values say nothing where the algorithm is the maker's own.
/// </remarks>
internal static class PointerAuthenticationRule
{
    private const string Remedy = "choose a destination whose CPU has the same algorithm, or create the VM without pointer authentication (QEMU: -cpu host,pauth=off)";

    private const ulong OfMaker = 0xfUL << 8 | 0xfUL << 28;

    private static readonly PromisedField Maker = new(KnownRegisters.Midr, "Implementer", 0xffUL << 24, FindingCode.PointerAuthentication,
        static (here, there) => here != there, Remedy);

    public static IReadOnlyList<PromisedField> Fields { get; } =
    [
        Of(KnownRegisters.Isar1, "APA", 4), Of(KnownRegisters.Isar1, "API", 8), Of(KnownRegisters.Isar1, "GPA", 24), Of(KnownRegisters.Isar1, "GPI", 28),
        Of(KnownRegisters.Isar2, "GPA3", 8), Of(KnownRegisters.Isar2, "APA3", 12),
    ];

    public static void Examine(PlanContext context)
    {
        if (!context.CanPredict) return;
        foreach (var vcpu in context.State.Vcpus)
        {
            if (!vcpu.Registers.TryGet(KnownRegisters.Isar1, out var features) || (features.Low & OfMaker) == 0) continue;
            // The hardware decides, not what the guest is told of it.
            var here = context.SourceOwn(KnownRegisters.Midr) ?? (vcpu.Registers.TryGet(KnownRegisters.Midr, out var told) ? told.Low : null);
            var there = context.Shape!.Find(KnownRegisters.Midr)?.Reset?.Low;
            if (here is not { } from || there is not { } to)
                context.Find(FindingCode.Unproven, Severity.Note, "pointer authentication", "an algorithm of the CPU's maker",
                    remedy: "probe both hosts: who made one of the CPUs is not known", evidence: Evidence.Assumed);
            else if (Maker.IsBroken(Maker.In(from), Maker.In(to)))
                context.Find(FindingCode.PointerAuthentication, Severity.Unsafe, "pointer authentication",
                    $"the algorithm of CPU maker {RegisterWords.Number(Maker.In(from))}", $"the algorithm of CPU maker {RegisterWords.Number(Maker.In(to))}",
                    remedy: Remedy, evidence: context.RegisterEvidence);
            return;
        }
    }

    private static PromisedField Of(Migrate.Model.Registers.RegisterId id, string name, int shift) => new(id, name, 0xfUL << shift,
        FindingCode.PointerAuthentication, static (here, there) => here != 0 && here != there, Remedy);
}
