using Migrate.Model;
using Migrate.Model.Plans;
using Migrate.Model.Ports;
using Migrate.Model.Registers;
using Migrate.Preflight.Registers;

namespace Migrate.Preflight.Trials;

/// <summary>The findings of a plan once it was tried: those that the host confirmed, those that it refuted, and those that nobody expected.</summary>
internal sealed class TriedFindings
{
    /// <summary>Most findings that are added; the trial's own list has all.</summary>
    private const int MostAdded = 1024;

    private const string ProbeAgain = "the host does not do what its profile says: probe it again, and report it if that changes nothing";

    private readonly RestorePlan _plan;
    private readonly TrialOutcome _outcome;
    private readonly HashSet<int> _refused;
    private readonly HashSet<RegisterAddress> _different;
    private readonly Dictionary<RegisterId, List<WriteRegister>> _writes = [];
    private readonly HashSet<int> _explained = [];
    private readonly Dictionary<WriteRegister, int> _indices = new(ReferenceEqualityComparer.Instance);

    private TriedFindings(RestorePlan plan, TrialOutcome outcome)
    {
        _plan = plan;
        _outcome = outcome;
        _refused = [.. outcome.Report.Failed.Select(f => f.Step)];
        _different = [.. outcome.Report.Differences.Select(d => new RegisterAddress(d.Vcpu, d.Id))];
        for (var i = 0; i < plan.Steps.Count; i++)
        {
            if (plan.Steps[i] is not WriteRegister write) continue;
            _indices[write] = i;
            if (!_writes.TryGetValue(write.Id, out var writes)) _writes[write.Id] = writes = [];
            writes.Add(write);
        }
    }

    /// <summary>The findings after the trial.</summary>
    public static IEnumerable<Finding> Of(RestorePlan plan, TrialOutcome outcome)
    {
        var tried = new TriedFindings(plan, outcome);
        var judged = plan.Findings.Select(tried.Judge).OfType<Finding>().ToList();
        judged.AddRange(tried.Unexpected());
        return judged;
    }

    /// <summary>What the trial says about a finding of the plan; null where it answered the question.</summary>
    private Finding? Judge(Finding finding)
    {
        if (finding.Code == FindingCode.LeftOut) return Confirm(finding);
        if (finding.Register is { } id) return JudgeRegister(finding, id);
        if (finding.Code == FindingCode.SilentlyChanged) return ConfirmChanges(finding);
        if (finding.Severity == Severity.Refused) return JudgeRefusal(finding);
        // What the source's kernel could not read is known without any host, and weakens nothing of what was tried.
        if (finding is { Code: FindingCode.CounterOffset, Severity: Severity.Note }) return finding with { Evidence = Evidence.Tried };
        // What nobody had measured about the VM itself: the host created it.
        return finding.Code == FindingCode.Unproven && CreatedAll() ? null : finding;
    }

    private Finding Confirm(Finding finding)
    {
        var steps = _plan.Steps.OfType<LeaveOut>().Where(s => finding.Register is not { } id || (s.Id == id && Covers(finding, s.Vcpu))).ToList();
        return steps.Count > 0 && steps.TrueForAll(s => _outcome.ConfirmedLeftOut.Contains(new(s.Vcpu, s.Id))) ? finding with { Evidence = Evidence.Tried } : finding;
    }

    /// <summary>A finding that unites several registers: tried where every change that the plan expects happened, which is more than it asks.</summary>
    private Finding ConfirmChanges(Finding finding)
    {
        var changes = _writes.Values.SelectMany(w => w).Where(w => w.ReadsBack is { } reads && reads != w.Value).ToList();
        return changes.Count > 0 && !changes.Exists(w => IsLost(w) || _refused.Contains(_indices[w]) || _different.Contains(new(w.Vcpu, w.Id)))
            ? finding with { Evidence = Evidence.Tried } : finding;
    }

    private bool IsLost(WriteRegister write) => _outcome.Lost.Contains(_indices[write]) || _outcome.Lost.ContainsVcpu(write.Vcpu);

    private Finding? JudgeRegister(Finding finding, RegisterId id)
    {
        if (!_writes.TryGetValue(id, out var all)) return finding;
        var writes = all.Where(w => Covers(finding, w.Vcpu)).ToList();
        if (writes.Count == 0 || writes.Exists(IsLost)) return finding;
        var failed = writes.Where(w => _refused.Contains(_indices[w])).ToList();
        if (finding.Severity == Severity.Refused)
        {
            if (failed.Count == 0)
            {
                // Written as captured and taken: the refusal was a prediction, and a wrong one.
                return writes.All(w => w.Captured is null && !_different.Contains(new(w.Vcpu, w.Id)))
                    ? finding with { Severity = Severity.Note, Evidence = Evidence.Tried, Predicted = finding.Answer, Answer = TrialWords.Taken, Remedy = ProbeAgain }
                    : finding;
            }
            foreach (var write in failed) _explained.Add(_indices[write]);
            var real = RegisterWords.Errno(_outcome.Report.Failed.First(f => f.Step == _indices[failed[0]]).Errno);
            return finding.Answer.StartsWith(real, StringComparison.Ordinal)
                ? finding with { Evidence = Evidence.Tried }
                : finding with { Evidence = Evidence.Tried, Predicted = finding.Answer, Answer = real };
        }
        if (failed.Count > 0 || writes.Any(w => _different.Contains(new(w.Vcpu, w.Id)))) return finding;
        return finding.Code == FindingCode.Unproven ? null : finding with { Evidence = Evidence.Tried };
    }

    /// <summary>A refusal of the VM itself, or of a part of it: the host's own word where the step was tried and refused.</summary>
    private Finding JudgeRefusal(Finding finding)
    {
        foreach (var failure in _outcome.Report.Failed)
        {
            var step = _plan.Steps[failure.Step];
            if (step is WriteRegister || Code(step, failure.Errno) != finding.Code) continue;
            _explained.Add(failure.Step);
            finding = finding with { Evidence = Evidence.Tried, Answer = finding.Answer.Length == 0 ? TrialWords.Answer(failure) : finding.Answer };
        }
        return finding;
    }

    /// <summary>What the host did and nobody expected, worst first; equal findings of several vCPUs united.</summary>
    private IEnumerable<Finding> Unexpected()
    {
        var found = new PlanBuilder(new PlanOptions(), keepsSteps: false);
        foreach (var failure in _outcome.Report.Failed)
            if (!_explained.Contains(failure.Step)) found.Add(Of(failure));
        foreach (var difference in _outcome.Report.Differences) found.Add(Of(difference));
        return found.Build(Evidence.Tried).Findings.Take(MostAdded);
    }

    private Finding Of(FailedStep failure)
    {
        var step = _plan.Steps[failure.Step];
        var finding = new Finding
        {
            Code = Code(step, failure.Errno),
            Severity = Severity.Refused,
            Evidence = Evidence.Tried,
            Subject = TrialWords.Of(step),
            Here = TrialWords.Here(step),
            Answer = TrialWords.Answer(failure),
            Predicted = TrialWords.Taken,
            Remedy = ProbeAgain,
        };
        if (step is not WriteRegister write) return finding;
        var found = _outcome.Found[new(write.Vcpu, write.Id)];
        return finding with
        {
            Register = write.Id,
            Vcpus = VcpusOf(write.Id, write.Vcpu),
            There = found.Value is { } value ? RegisterText.Describe(write.Id, value)
                : found.Errno == 2 ? "no such register" : $"cannot be read: {RegisterWords.Errno(found.Errno)}",
        };
    }

    private Finding Of(ReadBackDifference difference)
    {
        var expected = RegisterText.Describe(difference.Id, difference.Expected);
        var actual = difference.Actual is { } value ? RegisterText.Describe(difference.Id, value) : "";
        var frozen = KnownRegisters.IsIdentification(difference.Id) || difference.Id.Class is RegisterClass.Firmware or RegisterClass.FirmwareBitmap;
        return new Finding
        {
            Code = FindingCode.SilentlyChanged,
            Severity = frozen ? Severity.Unsafe : Severity.Lossy,
            Evidence = Evidence.Tried,
            Subject = RegisterCatalog.Name(difference.Id),
            Register = difference.Id,
            Vcpus = VcpusOf(difference.Id, difference.Vcpu),
            Here = expected,
            There = actual,
            Answer = actual.Length == 0 ? "cannot be read back" : "reads back " + actual,
            Predicted = "reads back " + expected,
            Remedy = ProbeAgain,
        };
    }

    private static FindingCode Code(RestoreStep step, int errno) => step switch
    {
        CreateVm => FindingCode.IpaSize,
        SetAttribute s => s.Attribute.Name.StartsWith("cap.", StringComparison.Ordinal) ? FindingCode.CapabilityMissing : FindingCode.AttributeUnknown,
        ConfigurePmu => FindingCode.Pmu,
        SetCounterOffset => FindingCode.CounterOffset,
        WriteDevice { Device.Kind: "vcpu" } => FindingCode.VcpuAttribute,
        MapMemory => FindingCode.MemoryLayout,
        CreateVcpu => FindingCode.VcpuFeatures,
        FinalizeSve => FindingCode.SveLengths,
        InstallFilter => FindingCode.SmcccFilter,
        RestoreHandler => FindingCode.HandlerMissing,
        WriteRegister => errno == 2 ? FindingCode.RegisterUnknown : FindingCode.ValueRefused,
        _ => FindingCode.StepRefused,
    };

    /// <summary>One write for several vCPUs is a register of the VM.</summary>
    private EquatableArray<int> VcpusOf(RegisterId id, int vcpu) =>
        RegisterCase.IsVmWideAt(id, null) || (_writes.TryGetValue(id, out var writes) && writes.Count == 1 && _plan.Steps.OfType<CreateVcpu>().Skip(1).Any())
            ? [] : [vcpu];

    private bool CreatedAll()
    {
        for (var i = 0; i < _plan.Steps.Count; i++)
        {
            if (_plan.Steps[i] is CreateVm or MapMemory or CreateVcpu or FinalizeSve or CreateGic or InstallFilter
                && (_refused.Contains(i) || _outcome.Lost.Contains(i)))
                return false;
        }
        return true;
    }

    private static bool Covers(Finding finding, int vcpu) => finding.Vcpus.Count == 0 || finding.Vcpus.Contains(vcpu);
}
