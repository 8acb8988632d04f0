using Migrate.Model.Registers;

namespace Migrate.Model.Plans;

/// <summary>The answer to "will it survive?".</summary>
public enum Verdict
{
    /// <summary>It will.</summary>
    Yes = 1,

    /// <summary>It will not; at least one finding stops it.</summary>
    No = 2,

    /// <summary>Nothing speaks against it, but the answer rests on assumptions.</summary>
    Unproven = 3,
}

/// <summary>Who restores: what is written, and what a difference means.</summary>
public enum Policy
{
    /// <summary>Our plan: what can be moved safely is moved.</summary>
    Vmmigrate = 1,

    /// <summary>What QEMU does: every register of its list, failure at the first refusal.</summary>
    Qemu = 2,

    /// <summary>Write everything as captured, in list order, or fail.</summary>
    Strict = 3,
}

/// <summary>How a state becomes a VM on one destination, and everything that was found on the way.</summary>
public sealed record RestorePlan
{
    /// <summary>The answer.</summary>
    public required Verdict Verdict { get; init; }

    /// <summary>Under which policy.</summary>
    public required Policy Policy { get; init; }

    /// <summary>The weakest evidence that the verdict rests on.</summary>
    public required Evidence Evidence { get; init; }

    /// <summary>The steps in the order of their execution, those of <see cref="StepPhase.Prepare"/> first.</summary>
    public required EquatableArray<RestoreStep> Steps { get; init; }

    /// <summary>Every finding, worst first.</summary>
    public required EquatableArray<Finding> Findings { get; init; }
}

/// <summary>What <c>check</c> prints and what the pre-flight API returns.</summary>
public sealed record CheckReport
{
    /// <summary>The answer.</summary>
    public required Verdict Verdict { get; init; }

    /// <summary>Under which policy.</summary>
    public required Policy Policy { get; init; }

    /// <summary>The weakest evidence that the verdict rests on.</summary>
    public required Evidence Evidence { get; init; }

    /// <summary>The source, for people.</summary>
    public required string Source { get; init; }

    /// <summary>The destination, for people.</summary>
    public required string Destination { get; init; }

    /// <summary>Registers written as captured and read back the same, over all vCPUs.</summary>
    public required int Kept { get; init; }

    /// <summary>Registers for which another value is written or read back.</summary>
    public required int Changed { get; init; }

    /// <summary>Registers left out on purpose.</summary>
    public required int LeftOut { get; init; }

    /// <summary>Registers the destination refuses or does not know.</summary>
    public required int Refused { get; init; }

    /// <summary>Every finding, worst first.</summary>
    public required EquatableArray<Finding> Findings { get; init; }

    /// <summary>The plan, when asked for.</summary>
    public RestorePlan? Plan { get; init; }

    /// <summary>What the dry run came to; null where there was none.</summary>
    public TrialReport? Trial { get; init; }
}

/// <summary>What executing a plan came to.</summary>
public sealed record RunReport
{
    /// <summary>Steps that the target did not answer with success, by their index in the plan.</summary>
    public required EquatableArray<FailedStep> Failed { get; init; }

    /// <summary>Registers that read back otherwise than the plan said.</summary>
    public required EquatableArray<ReadBackDifference> Differences { get; init; }

    /// <summary>How many steps ran.</summary>
    public required int Executed { get; init; }

    /// <summary>Nothing failed and nothing differs.</summary>
    public bool Succeeded => Failed.Count == 0 && Differences.Count == 0;
}

/// <summary>A step that the target refused.</summary>
/// <param name="Step">Index in the plan's steps.</param>
/// <param name="Errno">The positive errno.</param>
/// <param name="Note">What the target says about it; empty where errno says it all.</param>
public readonly record struct FailedStep(int Step, int Errno, string Note);

/// <summary>A register that reads back otherwise than planned.</summary>
/// <param name="Vcpu">Through which vCPU.</param>
/// <param name="Id">Which register.</param>
/// <param name="Expected">What the plan said.</param>
/// <param name="Actual">What was read; null when it could not be read.</param>
public readonly record struct ReadBackDifference(int Vcpu, RegisterId Id, RegisterValue Expected, RegisterValue? Actual);
