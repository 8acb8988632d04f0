namespace Migrate.Model.Plans;

/// <summary>What became of a plan on a scratch VM, which was then thrown away.</summary>
public sealed record TrialReport
{
    /// <summary>Steps that the scratch VM was given, those that it refused included.</summary>
    public required int Executed { get; init; }

    /// <summary>Registers that were read back at the end and compared with the plan.</summary>
    public required int Compared { get; init; }

    /// <summary>Steps that the host refused, by their index in the plan; without those that only missed what an earlier one failed to create.</summary>
    public required EquatableArray<FailedStep> Failed { get; init; }

    /// <summary>Registers that read back otherwise than the plan said.</summary>
    public required EquatableArray<ReadBackDifference> Differences { get; init; }

    /// <summary>What was not tried and why; for it the evidence is what it was before.</summary>
    public required EquatableArray<UntriedStep> Untried { get; init; }
}

/// <summary>A step, or part of one, that was not tried.</summary>
/// <param name="Step">Index in the plan's steps.</param>
/// <param name="What">What of it, for people.</param>
/// <param name="Why">Why not, or what its success does not show.</param>
public readonly record struct UntriedStep(int Step, string What, string Why);
