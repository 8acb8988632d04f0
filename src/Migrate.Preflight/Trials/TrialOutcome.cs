using Migrate.Model.Plans;
using Migrate.Model.Ports;

namespace Migrate.Preflight.Trials;

/// <summary>What a scratch VM answered, before it becomes findings.</summary>
/// <param name="Report">The part of it that people are told.</param>
/// <param name="Lost">Steps that failed because of an earlier one.</param>
/// <param name="ConfirmedLeftOut">Left-out registers about which the host says the same as the plan.</param>
/// <param name="Found">What the host has in registers whose writes it refused.</param>
internal sealed record TrialOutcome(
    TrialReport Report, LostSteps Lost, IReadOnlySet<RegisterAddress> ConfirmedLeftOut, IReadOnlyDictionary<RegisterAddress, ReadAnswer> Found)
{
    /// <summary>Whether every step was tried, and tried in full.</summary>
    public bool IsComplete => Report.Untried.Count == 0;
}

/// <summary>Steps that failed for want of something that an earlier one should have created: no news, and no answer of the host about them.</summary>
internal sealed class LostSteps
{
    private readonly HashSet<int> _steps = [];
    private readonly HashSet<int> _vcpus = [];
    private readonly List<UntriedStep> _untried = [];
    private readonly bool _everything;

    public LostSteps(RestorePlan plan, IReadOnlyList<FailedStep> failed)
    {
        var noGic = false;
        foreach (var failure in failed)
        {
            var step = plan.Steps[failure.Step];
            var vcpu = VcpuOf(step);
            if (_everything) Lose(failure.Step, step, "needs the VM, which was not created");
            else if (vcpu is { } own && _vcpus.Contains(own)) Lose(failure.Step, step, $"needs vCPU {own}, which was not created");
            else if (step is CreateGic or WriteDevice or ConfigurePmu or SetCounterOffset && _vcpus.Count > 0) Lose(failure.Step, step, "needs every vCPU, and one was not created");
            else if (step is WriteDevice && noGic) Lose(failure.Step, step, "needs the interrupt controller, which was not created");
            else if (step is CreateVm) _everything = true;
            else if (step is CreateVcpu or FinalizeSve) _vcpus.Add(vcpu!.Value);
            noGic |= step is CreateGic;
        }
    }

    /// <summary>What was not tried because of it.</summary>
    public IReadOnlyList<UntriedStep> Untried => _untried;

    /// <summary>Whether a failed step is one of them.</summary>
    public bool Contains(int step) => _steps.Contains(step);

    /// <summary>Whether nothing can be said about a vCPU.</summary>
    public bool ContainsVcpu(int vcpu) => _everything || _vcpus.Contains(vcpu);

    private void Lose(int index, RestoreStep step, string why)
    {
        _steps.Add(index);
        _untried.Add(new UntriedStep(index, TrialWords.Of(step), why));
    }

    private static int? VcpuOf(RestoreStep step) => step switch
    {
        CreateVcpu s => s.Vcpu,
        FinalizeSve s => s.Vcpu,
        WriteRegister s => s.Vcpu,
        SetEvents s => s.Vcpu,
        SetMpState s => s.Vcpu,
        _ => null,
    };
}
