using Migrate.Model.Machines;
using Migrate.Model.Registers;

namespace Migrate.Model.Plans;

/// <summary>One configuration for a set of hosts, or the proof that there is none and the fewest pools.</summary>
public sealed record BaselineReport
{
    /// <summary>Yes: one baseline for all. Unproven: one, but it rests on assumptions. No: <see cref="Pools"/> are needed.</summary>
    public required Verdict Verdict { get; init; }

    /// <summary>How many hosts there are.</summary>
    public required int Hosts { get; init; }

    /// <summary>How many different profiles they have.</summary>
    public required int Profiles { get; init; }

    /// <summary>Whether the pools are proven to be the fewest: every smaller division was excluded. Otherwise they were found one by one.</summary>
    public required bool IsExact { get; init; }

    /// <summary>The sets within which a VM moves freely, each with its baseline. They share no host.</summary>
    public required EquatableArray<BaselinePool> Pools { get; init; }

    /// <summary>Why hosts cannot share a pool; empty where all do.</summary>
    public EquatableArray<BaselineProof> Proofs { get; init; }
}

/// <summary>Hosts among which a VM of one configuration moves in every direction.</summary>
public sealed record BaselinePool
{
    /// <summary>The hosts by name, in order.</summary>
    public required EquatableArray<string> Hosts { get; init; }

    /// <summary>The richest configuration.</summary>
    public required VmConfig Config { get; init; }

    /// <summary>The weakest verdict of all pairs: yes or unproven.</summary>
    public required Verdict Verdict { get; init; }

    /// <summary>How many ordered pairs of profiles were planned.</summary>
    public required int Pairs { get; init; }

    /// <summary>The configuration as QEMU's options.</summary>
    public required Expression Qemu { get; init; }

    /// <summary>What hosts of the pool have beyond the configuration.</summary>
    public EquatableArray<GivenUp> GivenUp { get; init; }
}

/// <summary>Something that hosts have and a VM of the baseline does not.</summary>
/// <param name="Hosts">Which hosts, in order.</param>
/// <param name="Subject">A field, a register, or a part of the configuration.</param>
/// <param name="Own">What these hosts have by themselves.</param>
/// <param name="Baseline">What the configuration says.</param>
/// <param name="Kept">The setting that would keep it, in the place of the configuration's; null where it is no register.</param>
/// <param name="Witness">The pair that fails where this alone is kept.</param>
public sealed record GivenUp(EquatableArray<string> Hosts, string Subject, string Own, string Baseline, RegisterSetting? Kept, Witness Witness);

/// <summary>An ordered pair that a configuration does not serve.</summary>
/// <param name="Source">The host that the VM is created on.</param>
/// <param name="Destination">The host that it cannot move to.</param>
/// <param name="Reason">What stands against it.</param>
public sealed record Witness(string Source, string Destination, string Reason);

/// <summary>Why some hosts cannot share a pool: one obstacle that no choice removes, for one set of features.</summary>
public sealed record BaselineProof
{
    /// <summary>The hosts: two, or more where every two of them agree and all together do not.</summary>
    public required EquatableArray<string> Hosts { get; init; }

    /// <summary>The vCPU features with which it was tried; null where the hosts share none.</summary>
    public VcpuFeatures? Features { get; init; }

    /// <summary>The pair that fails.</summary>
    public required Witness Witness { get; init; }

    /// <summary>A field, a register, or a part of the configuration.</summary>
    public required string Subject { get; init; }

    /// <summary>The register, where it is one.</summary>
    public RegisterId? Register { get; init; }

    /// <summary>What each host can hold there.</summary>
    public EquatableArray<Holding> Holdings { get; init; }

    /// <summary>How it is known.</summary>
    public required Evidence Evidence { get; init; }
}

/// <summary>What one host can hold in a field.</summary>
/// <param name="Host">Which host.</param>
/// <param name="Values">The values, for people.</param>
public sealed record Holding(string Host, string Values);
