using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;

namespace Migrate.Preflight;

/// <summary>What every rule sees: both sides, the options, and the plan under construction. Pure data; nothing here is read from anywhere.</summary>
internal sealed class PlanContext(MachineState state, PreparedHost destination, PlanOptions options, HostProfile? source, bool keepsSteps = true)
{
    public MachineState State { get; } = state;

    public HostProfile Destination { get; } = destination.Profile;

    /// <summary>The destination's shape with what every plan on it needs; null where nobody measured it.</summary>
    public PreparedShape? Prepared { get; } = destination.Shape(state.Vm.Features, state.Vm.Gic.Kind);

    public HostProfile? Source { get; } = source;

    public PlanOptions Options { get; } = options;

    /// <summary>What the destination answers for the guest's features and GIC; null where nobody measured it.</summary>
    public ShapeIndex? Shape => Prepared?.Index;

    /// <summary>Whether register answers can be predicted: the shape was measured and the host creates such a vCPU at all.</summary>
    public bool CanPredict => Shape is { Shape.Errno: 0 };

    /// <summary>How answers about registers are known.</summary>
    public Evidence RegisterEvidence => Shape is null ? Evidence.Assumed : Weaker(Shape.Shape.Evidence, Destination.Evidence);

    /// <summary>How everything is known that no finding speaks of.</summary>
    public Evidence Ground => Weaker(Destination.Evidence, RegisterEvidence);

    public PlanBuilder Plan { get; } = new(options, keepsSteps);

    /// <summary>Whether the guest was given a hypercall service of that word by the destination without any register saying so.</summary>
    public bool HasService(string word)
    {
        foreach (var service in Destination.Services)
            if (service == word) return true;
        return false;
    }

    /// <summary>What a register reads in a new VM of the guest's shape on the source host, and so what its hardware is; null where that is not known.</summary>
    public ulong? SourceOwn(RegisterId id) => Source?.Shape(State.Vm.Features, State.Vm.Gic.Kind)?.Find(id)?.Reset?.Low;

    /// <summary>Whether a new VM of the guest's shape can be given that value on the source host; null where that was not measured.</summary>
    public bool? SourceTakes(RegisterId id, RegisterValue value) =>
        Source is { Evidence: > Evidence.Assumed } ? Source.Shape(State.Vm.Features, State.Vm.Gic.Kind)?.Find(id)?.Accepts.Accepts(value) : null;

    /// <summary>What KVM_CHECK_EXTENSION returned at the destination, or 1 and 0 for an attribute that is there or not; null where nobody asked.</summary>
    public long? Capability(string name) => Destination.Capability(name);

    /// <summary>Adds a finding about a part of the description.</summary>
    public void Find(
        FindingCode code, Severity severity, string subject, string here = "", string there = "", string answer = "", string remedy = "",
            Evidence? evidence = null) =>
        Plan.Add(new Finding
        {
            Code = code,
            Severity = severity,
            Evidence = evidence ?? Destination.Evidence,
            Subject = subject,
            Here = here,
            There = there,
            Answer = answer,
            Remedy = remedy,
        });

    public static Evidence Weaker(Evidence one, Evidence other) => one < other ? one : other;
}
