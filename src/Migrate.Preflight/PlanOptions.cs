using System.Collections.Frozen;
using Migrate.Model;
using Migrate.Model.Plans;

namespace Migrate.Preflight;

/// <summary>How strictly a plan is made.</summary>
public sealed record PlanOptions
{
    /// <summary>Who restores.</summary>
    public Policy Policy { get; init; } = Policy.Vmmigrate;

    /// <summary>Kinds of finding that the operator accepts by name: they stay in the plan and no longer stop it. A register that the host refuses is then left out.</summary>
    /// <remarks>A VM that cannot be created at all is never acceptable, and policies other than <see cref="Policy.Vmmigrate"/> leave nothing out, so a refusal stays one.</remarks>
    public IReadOnlySet<FindingCode> Accept { get; init; } = FrozenSet<FindingCode>.Empty;

    /// <summary>Whether a verdict that rests on assumptions may be <see cref="Verdict.Yes"/>.</summary>
    public bool AcceptAssumed { get; init; }

    /// <summary>Parts of the machine that its VMM cannot describe, by name, from <see cref="Model.Ports.MachineReport.Undescribable"/>: each is a refusal.</summary>
    public EquatableArray<string> Undescribable { get; init; }
}
