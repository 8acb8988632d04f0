using Migrate.Model.Firmware;
using Migrate.Model.Hosts;
using Migrate.Model.Plans;
using Migrate.Model.Registers;
using Migrate.Preflight.Registers;

namespace Migrate.Preflight.Rules;

/// <summary>SMCCC workaround levels are promises: a guest that was told of a mitigation must find it, even where KVM would take the state without it.</summary>
/// <remarks>
/// Source: arch/arm64/kvm/hypercalls.c <c>kvm_arm_set_fw_reg</c>: a level above the host's is EINVAL, any other is accepted and not stored, so the
/// register reads the host's own level.
/// </remarks>
internal static class WorkaroundLevelRule
{
    private const string Move = "choose a destination that has the mitigation, or accept workaround-level by name and restart the guest there";

    public static RegisterDecision? Relieve(in RegisterCase it)
    {
        if (Number(it.Id) is not { } number || it.Answer.Kind != AnswerKind.Unknown) return null;
        if (Promise(it.Id, it.Value.Low) == 0) return it.LeftOut("the guest was promised no mitigation");
        return WorkaroundLevel.Name(it.Id, it.Value.Low) is { } level && it.Context.HasService($"workaround-{number}-{level}")
            ? it.LeftOut($"the destination answers {level} without a register") : null;
    }

    public static IReadOnlyList<Finding>? Judge(in RegisterCase it)
    {
        if (Number(it.Id) is null) return null;
        switch (it.Answer.Kind)
        {
            case AnswerKind.Unknown:
                return [it.Finding(FindingCode.WorkaroundLevel, Severity.Refused, there: "no such register", remedy: Move)];
            case AnswerKind.Refused:
                var own = it.There?.Reset is { } reset ? RegisterText.Describe(it.Id, reset) : "";
                return [it.Finding(FindingCode.WorkaroundLevel, Severity.Refused, there: own, remedy: Move)];
            case AnswerKind.Changed:
                var reads = it.Answer.ReadsBack!.Value;
                var (here, there) = (Promise(it.Id, it.Value.Low), Promise(it.Id, reads.Low));
                return
                [
                    it.Finding(FindingCode.WorkaroundLevel, there < here ? Severity.Unsafe : Severity.Note,
                        there: RegisterText.Describe(it.Id, reads),
                        answer: "reads back " + reads.ToShortString(), remedy: there < here ? Move : ""),
                ];
            default:
                return [];
        }
    }

    private static int? Number(RegisterId id) =>
        id == FirmwareRegisters.Workaround1 ? 1 : id == FirmwareRegisters.Workaround2 ? 2 : id == FirmwareRegisters.Workaround3 ? 3 : null;

    /// <summary>How much a level promises. For WORKAROUND_2 "unknown" promises nothing and ENABLED is no level.</summary>
    private static ulong Promise(RegisterId id, ulong value)
    {
        var level = value & ~WorkaroundLevel.Enabled;
        return id == FirmwareRegisters.Workaround2 && level == 1 ? 0 : level;
    }
}
