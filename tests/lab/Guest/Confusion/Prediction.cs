using Migrate.Model.Hosts;
using Migrate.Model.Plans;
using Migrate.Model.Registers;
using Migrate.Preflight;

namespace Migrate.LabGuest.Confusion;

/// <summary>What is said about a trial before anybody asks the kernel: from the state and recorded profiles alone.</summary>
public sealed class Prediction
{
    private Prediction(RestorePlan asCaptured, RestorePlan planned, PairVerdict verdict) => (AsCaptured, Planned, Verdict) = (asCaptured, planned, verdict);

    /// <summary>The plan that writes everything as captured, in list order.</summary>
    public RestorePlan AsCaptured { get; }

    /// <summary>Our plan.</summary>
    public RestorePlan Planned { get; }

    /// <summary>What our plan says about KVM.</summary>
    public PairVerdict Verdict { get; }

    /// <summary>Each write of <see cref="AsCaptured"/>, with the answer and what the register holds at the end.</summary>
    public IReadOnlyList<CapturedAnswer> Registers { get; private init; } = [];

    /// <summary>For each other kind of state that is tried: the errno of a predicted refusal, empty for none, null for no statement.</summary>
    public IReadOnlyDictionary<string, string?> Parts { get; private init; } = new Dictionary<string, string?>();

    /// <summary>Predicts a trial on a host.</summary>
    public static Prediction Of(Trial trial, PreparedHost host, HostProfile? source)
    {
        var asCaptured = Planner.Plan(trial.State, host, new PlanOptions { Policy = Policy.Strict, AcceptAssumed = true }, source);
        var planned = Planner.Plan(trial.State, host, new PlanOptions { AcceptAssumed = true }, source);
        var shape = host.Answers(trial.State.Vm.Features, trial.State.Vm.Gic.Kind);
        var verdict = planned.Findings.Any(IsOfKvm) ? PairVerdict.Refused
            : shape is null || planned.Findings.Any(f => f.Code == FindingCode.Unproven) ? PairVerdict.Unproven
            : PairVerdict.Works;
        return new Prediction(asCaptured, planned, verdict)
        {
            Registers = shape is { Shape.Errno: 0 } ? CapturedAnswers.Of(trial.State, shape) : [],
            Parts = OfParts(asCaptured),
        };
    }

    /// <summary>Whether a finding says that KVM refuses. That a VMM lacks something, or a guest would suffer, KVM cannot confirm.</summary>
    public static bool IsOfKvm(Finding finding) => finding.Severity == Severity.Refused && !finding.Accepted
        && finding.Code is not (FindingCode.HandlerMissing or FindingCode.Undescribable or FindingCode.AttributeUnknown or FindingCode.MemoryTags);

    private static Dictionary<string, string?> OfParts(RestorePlan plan)
    {
        var parts = new Dictionary<string, string?>();
        foreach (var step in plan.Steps)
            if (step is not (WriteRegister or LeaveOut)) parts[Subjects.KindOf(Subjects.Of(step))] = "";
        foreach (var finding in plan.Findings)
        {
            if (finding.Register is not null || PartOf(finding) is not { } part) continue;
            if (IsOfKvm(finding))
            {
                // Of several the first: a kernel that has no filter validates none.
                if (parts.GetValueOrDefault(part) is not { Length: > 0 }) parts[part] = finding.Answer.Split(' ')[0];
            }
            else if (finding.Code == FindingCode.Unproven && parts.GetValueOrDefault(part) is "") parts[part] = null;
        }
        return parts;
    }

    /// <summary>Which kind of state a finding speaks of; null for one that KVM is not asked about.</summary>
    private static string? PartOf(Finding finding) => finding.Subject switch
    {
        "VM type" or "IPA size" => "vm",
        "vCPU features" => "vcpu",
        "power state" => "power",
        "pending events" => "events",
        var s when s.StartsWith("memory slot", StringComparison.Ordinal) && !s.Contains(" and ", StringComparison.Ordinal) => "slot",
        var s when s.StartsWith("memory slot", StringComparison.Ordinal) => s.Split(" and ")[1].StartsWith("memory", StringComparison.Ordinal) ? "slot" : null,
        var s when s.StartsWith("GIC distributor", StringComparison.Ordinal) || s.StartsWith("GIC redistributors", StringComparison.Ordinal) || s is "ITS" or "GICv3" or "GIC interrupts" => "gic",
        var s when s.StartsWith("SMCCC filter", StringComparison.Ordinal) => "filter",
        var s when s.StartsWith("attribute", StringComparison.Ordinal) => "attribute",
        "GICD_IIDR" or "GICD_TYPER2" or "ICC_CTLR_EL1" => "device",
        _ => finding.Code is FindingCode.VcpuAttribute or FindingCode.Undescribable ? "device" : finding.Code == FindingCode.PageSize ? "slot" : null,
    };
}

/// <summary>What steps are called in answers.</summary>
public static class Subjects
{
    /// <summary>A step's subject; no two steps of a plan have the same one, but that a register is written twice.</summary>
    public static string Of(RestoreStep step) => step switch
    {
        WriteRegister w => Of(w.Vcpu, w.Id),
        CreateVm => "vm.0",
        MapMemory s => $"slot.{s.Slot.Slot}",
        CreateVcpu s => $"vcpu.{s.Vcpu}",
        FinalizeSve s => $"sve.{s.Vcpu}",
        CreateGic => "gic.0",
        InstallFilter s => $"filter.{s.Range.Base:x}+{s.Range.Count:x}",
        SetAttribute s => $"attribute.{s.Attribute.Name}",
        ConfigurePmu s => $"attribute.{s.Attribute.Name}",
        WriteDevice s => $"device.{s.Device.Kind}",
        SetEvents s => $"events.{s.Vcpu}",
        SetMpState s => $"power.{s.Vcpu}",
        _ => $"{step.GetType().Name}.0",
    };

    /// <summary>A register's subject.</summary>
    public static string Of(int vcpu, RegisterId id) => vcpu == 0 ? RegisterCatalog.Name(id) : $"{RegisterCatalog.Name(id)}@{vcpu}";

    /// <summary>The kind of state of a subject that is no register.</summary>
    public static string KindOf(string subject) => subject.Split('.')[0];

    /// <summary>The kind of state of a register.</summary>
    public static string KindOf(RegisterId id) => id.Class switch
    {
        RegisterClass.Firmware => "firmware register",
        RegisterClass.FirmwareBitmap => "hypercall bitmap",
        RegisterClass.Demux => "cache geometry",
        RegisterClass.Core => "core register",
        RegisterClass.Sve => RegisterCatalog.Name(id) == "SVE_VLS" ? "vector lengths" : "vector register",
        // op0 3, CRn 0: the block of identification registers.
        RegisterClass.System when id.Index >> 14 == 3 && (id.Index >> 7 & 15) == 0 => "ID register",
        _ => "system register",
    };

    /// <summary>Whether a subject is a part of that kind.</summary>
    public static bool IsPart(string subject, string kind) => subject.Length > kind.Length && subject[kind.Length] == '.' && subject.StartsWith(kind, StringComparison.Ordinal);

    /// <summary>Whether the machine is not there without it, so that nothing behind it says anything.</summary>
    public static bool IsFoundation(string subject) => IsPart(subject, "vm") || IsPart(subject, "vcpu") || IsPart(subject, "sve");

    /// <summary>Registers that move by themselves: reading one back proves nothing.</summary>
    public static bool Moves(RegisterId id) =>
        RegisterCatalog.Name(id) is "CNTVCT_EL0" or "CNTPCT_EL0" or "CNTV_CTL_EL0" or "CNTP_CTL_EL0" or "PMCCNTR_EL0";
}
