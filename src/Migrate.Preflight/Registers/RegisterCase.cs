using Migrate.Model;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;
using Migrate.Preflight.Rules;

namespace Migrate.Preflight.Registers;

/// <summary>One register of one vCPU (or of the VM) and what the destination is predicted to answer when it is written in its place.</summary>
internal readonly struct RegisterCase
{
    public required PlanContext Context { get; init; }

    public required VcpuState Vcpu { get; init; }

    public required RegisterId Id { get; init; }

    public required RegisterValue Value { get; init; }

    public required PredictedAnswer Answer { get; init; }

    /// <summary>What the destination says about the register; null where it does not list it.</summary>
    public required RegisterAcceptance? There { get; init; }

    /// <summary>The rules that the register may be a subject of.</summary>
    public required RuleSet Rules { get; init; }

    /// <summary>Controllers as they are at that moment of the plan.</summary>
    public required PlannedValues Values { get; init; }

    /// <summary>Whether the register is one for the whole VM. Where the destination does not know it, its kind decides; MPIDR is a vCPU's name and never shared.</summary>
    public bool IsVmWide => IsVmWideAt(Id, There);

    public string Name => RegisterCatalog.Name(Id);

    /// <summary>The acceptance in force at that moment: a conditional one where its controller says so. Null where the register is unknown then.</summary>
    public Acceptance? Accepts
    {
        get
        {
            if (There is null) return null;
            foreach (var conditional in There.When)
            {
                if (Controller(conditional.Controller) is not { } controller) return Acceptance.Unproven;
                var now = (int)(controller >> conditional.Shift) & ((1 << conditional.Width) - 1);
                if ((conditional.Values >> now & 1) != 0) return conditional.Accepts;
            }
            return There.Accepts;
        }
    }

    /// <summary>What the destination would answer to another value.</summary>
    public PredictedAnswer Try(RegisterValue value) => Context.Shape!.Predict(Id, value, Values.Of(Vcpu.Index));

    /// <summary>The value that the guest sees in another of its registers; null where it was not captured.</summary>
    public ulong? Guest(RegisterId id) => Vcpu.Registers.TryGet(id, out var value) ? value.Low : null;

    /// <summary>A finding about this register.</summary>
    public Finding Finding(FindingCode code, Severity severity, string? field = null, string? here = null, string there = "",
        string? answer = null, string remedy = "") =>
        new()
        {
            Code = code,
            Severity = severity,
            Evidence = Context.RegisterEvidence,
            Subject = field is null ? Name : Name + field,
            Register = Id,
            Vcpus = IsVmWide ? [] : [Vcpu.Index],
            Here = here ?? RegisterText.Describe(Id, Value),
            There = there,
            Answer = answer ?? RegisterWords.Errno(Answer.Errno),
            Remedy = remedy,
        };

    /// <summary>The decision to leave the register out because the guest cannot tell, with a note that says so.</summary>
    /// <param name="why">The reason.</param>
    /// <param name="evidence">How it is known, where not from the destination's answers.</param>
    /// <param name="together">What several registers that are left out for one reason are called: they share one note.</param>
    public RegisterDecision LeftOut(string why, Evidence? evidence = null, string? together = null)
    {
        var note = Finding(FindingCode.LeftOut, Severity.Note, there: why) with { Evidence = evidence ?? Context.RegisterEvidence };
        return RegisterDecision.LeaveOut(why, together is null ? note : note with { Subject = together, Register = null, Here = "", Answer = "" });
    }

    /// <inheritdoc cref="IsVmWide"/>
    public static bool IsVmWideAt(RegisterId id, RegisterAcceptance? there) =>
        id != KnownRegisters.Mpidr
        && (there is null ? id.Class is RegisterClass.Firmware or RegisterClass.FirmwareBitmap : there.Scope == RegisterScope.Vm);

    private ulong? Controller(RegisterId id) =>
        Values.Of(Vcpu.Index).TryGet(id, out var value) ? value.Low : Context.Shape!.Find(id)?.Reset?.Low;
}

/// <summary>Values of controlling registers as the plan has written them so far.</summary>
internal sealed class PlannedValues(PreparedShape? shape)
{
    private readonly EquatableArray<RegisterId> _controllers = shape?.Controllers ?? [];
    private readonly RegisterValue?[] _ofVm = new RegisterValue?[shape?.Controllers.Count ?? 0];
    private readonly Dictionary<(int Vcpu, int Controller), RegisterValue> _ofVcpu = [];

    /// <summary>Notes what a write left behind; only controllers are kept.</summary>
    public void Wrote(int vcpu, RegisterId id, bool vmWide, RegisterValue value)
    {
        if (Find(id) is not (>= 0 and var controller)) return;
        if (vmWide) _ofVm[controller] = value;
        else _ofVcpu[(vcpu, controller)] = value;
    }

    /// <summary>The values as one vCPU sees them.</summary>
    public View Of(int vcpu) => new(this, vcpu);

    private int Find(RegisterId id)
    {
        var controllers = _controllers.Span;
        for (var i = 0; i < controllers.Length; i++)
            if (controllers[i] == id) return i;
        return -1;
    }

    public readonly struct View(PlannedValues values, int vcpu) : IRegisterValues
    {
        public bool TryGet(RegisterId id, out RegisterValue value)
        {
            value = default;
            if (values.Find(id) is not (>= 0 and var controller)) return false;
            if (values._ofVcpu.TryGetValue((vcpu, controller), out value)) return true;
            value = values._ofVm[controller].GetValueOrDefault();
            return values._ofVm[controller] is not null;
        }
    }
}
