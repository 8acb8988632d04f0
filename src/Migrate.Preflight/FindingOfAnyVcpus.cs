using Migrate.Model.Plans;

namespace Migrate.Preflight;

/// <summary>Findings that are the same but for their vCPUs are equal; whether one is accepted follows from the rest.</summary>
internal sealed class FindingOfAnyVcpus : IEqualityComparer<Finding>
{
    /// <summary>The only one.</summary>
    public static FindingOfAnyVcpus Comparer { get; } = new();

    /// <inheritdoc/>
    public bool Equals(Finding? one, Finding? other)
    {
        if (ReferenceEquals(one, other)) return true;
        if (one is null || other is null || one.Subject != other.Subject) return false;
        // Copies, and not member by member: a member that is added to the record cannot be forgotten here.
        return one.Vcpus == other.Vcpus && one.Accepted == other.Accepted ? one == other
            : one with { Vcpus = [], Accepted = false } == other with { Vcpus = [], Accepted = false };
    }

    /// <summary>What tells nearly all findings apart; all of their text would cost more than it tells.</summary>
    public int GetHashCode(Finding finding) => HashCode.Combine(finding.Code, finding.Subject, finding.Here, finding.There);
}
