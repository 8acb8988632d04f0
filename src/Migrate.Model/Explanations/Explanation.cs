using Migrate.Model.Plans;
using Migrate.Model.Registers;

namespace Migrate.Model.Explanations;

/// <summary>What <c>explain</c> says: about finding codes, or about a register.</summary>
public sealed record Explanation
{
    /// <summary>What was asked about, in its proper spelling.</summary>
    public required string Subject { get; init; }

    /// <summary>The kinds of finding that were asked about; of a register, none.</summary>
    public EquatableArray<FindingExplanation> Findings { get; init; }

    /// <summary>The register that was asked about.</summary>
    public RegisterExplanation? Register { get; init; }
}

/// <summary>What a kind of finding means and what can be done.</summary>
public sealed record FindingExplanation
{
    /// <summary>Which.</summary>
    public required FindingCode Code { get; init; }

    /// <summary>How bad findings of this kind are, mildest first.</summary>
    public required EquatableArray<Severity> Severities { get; init; }

    /// <summary>What it says.</summary>
    public required string Meaning { get; init; }

    /// <summary>Why it matters to the guest.</summary>
    public required string Guest { get; init; }

    /// <summary>What to do about it, whatever the VMM.</summary>
    public required string Remedy { get; init; }

    /// <summary>What to do in QEMU; empty where it has no words of its own for it.</summary>
    public string Qemu { get; init; } = "";

    /// <summary>What to do in Firecracker; empty where it has no words of its own for it.</summary>
    public string Firecracker { get; init; } = "";

    /// <summary>The argument of <c>--accept</c> that lifts it; empty where nothing does.</summary>
    public string Accept { get; init; } = "";

    /// <summary>What accepting it means, or why it cannot be accepted.</summary>
    public required string Accepting { get; init; }

    /// <summary>The rules that emit it.</summary>
    public EquatableArray<RuleExplanation> Rules { get; init; }
}

/// <summary>A rule of the planner.</summary>
/// <param name="Name">Its name, kebab case.</param>
/// <param name="Says">What it looks at and decides.</param>
/// <param name="Codes">The kinds of finding that it emits.</param>
/// <param name="OfEvery">Whether it speaks about every register rather than a few.</param>
public sealed record RuleExplanation(string Name, string Says, EquatableArray<FindingCode> Codes, bool OfEvery);

/// <summary>What a register is.</summary>
public sealed record RegisterExplanation
{
    /// <summary>The architecture's or KVM's name.</summary>
    public required string Name { get; init; }

    /// <summary>KVM's id.</summary>
    public required RegisterId Id { get; init; }

    /// <summary>What it is about, in words.</summary>
    public required string Group { get; init; }

    /// <summary>How it is restored: when in the plan, and why then.</summary>
    public string Restored { get; init; } = "";

    /// <summary>Its fields, highest first; the one that was asked about, where one was.</summary>
    public EquatableArray<FieldExplanation> Fields { get; init; }

    /// <summary>The rules that speak about it, the general ones included.</summary>
    public EquatableArray<RuleExplanation> Rules { get; init; }

    /// <summary>What a host accepts, where one was given.</summary>
    public HostAnswer? Host { get; init; }
}

/// <summary>A field of a register.</summary>
/// <param name="Name">The architecture's name.</param>
/// <param name="Bits">Its place: <c>63:60</c>.</param>
/// <param name="Words">Values that have a name: <c>0 none; 1 SSBS</c>; empty where none has.</param>
public readonly record struct FieldExplanation(string Name, string Bits, string Words);

/// <summary>What one host accepts for a register of the VM that it creates.</summary>
public sealed record HostAnswer
{
    /// <summary>The host, for people.</summary>
    public required string Host { get; init; }

    /// <summary>The vCPU features of the VM.</summary>
    public required string Features { get; init; }

    /// <summary>How it is known.</summary>
    public required Evidence Evidence { get; init; }

    /// <summary>Whether the host lists the register for such a VM; where not, a write is ENOENT.</summary>
    public required bool Listed { get; init; }

    /// <summary>The value of a new VM; empty where it cannot be read.</summary>
    public string New { get; init; } = "";

    /// <summary>What is accepted, one phrase.</summary>
    public string Accepts { get; init; } = "";

    /// <summary>What else is so: whose register it is, when it is frozen, what reads back, under which conditions something else holds.</summary>
    public EquatableArray<string> Notes { get; init; }

    /// <summary>Field by field; empty for a register without fields.</summary>
    public EquatableArray<FieldAnswer> Fields { get; init; }
}

/// <summary>What one host accepts for one field.</summary>
/// <param name="Name">The field, or the bits.</param>
/// <param name="Bits">Its place: <c>63:60</c>.</param>
/// <param name="New">The value of a new VM.</param>
/// <param name="Accepts">The accepted values.</param>
public readonly record struct FieldAnswer(string Name, string Bits, string New, string Accepts);
