namespace Migrate.Model.Plans;

/// <summary>For every ordered pair of hosts: does the VM that one creates survive on the other, and why not?</summary>
public sealed record MatrixReport
{
    /// <summary>Under which policy.</summary>
    public required Policy Policy { get; init; }

    /// <summary>The vCPU features that were asked for, comma-separated; empty where each host's own default VM was asked about.</summary>
    public string Features { get; init; } = "";

    /// <summary>Ordered pairs of different hosts whose answer is yes.</summary>
    public required int Yes { get; init; }

    /// <summary>Those whose answer rests on assumptions.</summary>
    public required int Unproven { get; init; }

    /// <summary>Those whose answer is no.</summary>
    public required int No { get; init; }

    /// <summary>The hosts in the order in which they were given.</summary>
    public required EquatableArray<MatrixHost> Hosts { get; init; }

    /// <summary>One entry for every ordered pair of hosts that are not alike, by the first of those alike; a pair of a host with itself is there where others are like it.</summary>
    public required EquatableArray<MatrixPair> Pairs { get; init; }

    /// <summary>Every reason of a pair once, the one that concerns most pairs of hosts first.</summary>
    public required EquatableArray<Finding> Reasons { get; init; }

    /// <summary>Yes when every pair is; no when one is; else unproven.</summary>
    public Verdict Verdict => No > 0 ? Verdict.No : Unproven > 0 ? Verdict.Unproven : Verdict.Yes;
}

/// <summary>A host of a matrix.</summary>
public sealed record MatrixHost
{
    /// <summary>What it is called; no two hosts of a matrix are called the same.</summary>
    public required string Name { get; init; }

    /// <summary>The host and its kernel, for people.</summary>
    public string Description { get; init; } = "";

    /// <summary>How its answers are known.</summary>
    public required Evidence Evidence { get; init; }

    /// <summary>The vCPU features of the VM that it creates, comma-separated; empty where it creates none.</summary>
    public string Features { get; init; } = "";

    /// <summary>The first host of this matrix with the same profile, boot identity aside; empty where this is it.</summary>
    public string SameAs { get; init; } = "";
}

/// <summary>One ordered pair of a matrix.</summary>
public sealed record MatrixPair
{
    /// <summary>The host that creates the VM.</summary>
    public required string From { get; init; }

    /// <summary>The host that it moves to.</summary>
    public required string To { get; init; }

    /// <summary>The answer.</summary>
    public required Verdict Verdict { get; init; }

    /// <summary>What the answer rests on.</summary>
    public required Evidence Evidence { get; init; }

    /// <summary>How many findings stop the move; those alike of several vCPUs count once.</summary>
    public int Stops { get; init; }

    /// <summary>Why the answer is not yes, by index into <see cref="MatrixReport.Reasons"/>: the main reason first, at most eight.</summary>
    public EquatableArray<int> Reasons { get; init; }
}
