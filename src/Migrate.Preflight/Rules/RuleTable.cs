using System.Numerics;
using Migrate.Model.Hosts;
using Migrate.Model.Plans;
using Migrate.Model.Registers;
using Migrate.Preflight.Registers;

namespace Migrate.Preflight.Rules;

/// <summary>A rule about the description of the machine.</summary>
internal delegate void MachineRule(PlanContext context);

/// <summary>A way to carry a register although the host does not take it, or to do without it; null where it does not apply. Policy vmmigrate only.</summary>
internal delegate RegisterDecision? Relief(in RegisterCase register);

/// <summary>What is to be said about writing a register as captured; null where the register is not this rule's subject.</summary>
internal delegate IReadOnlyList<Finding>? Judge(in RegisterCase register);

/// <summary>The answers that a rule about registers speaks about; no register with another answer is shown to it.</summary>
[Flags]
internal enum Answers
{
    Kept = 1 << AnswerKind.Kept,
    Changed = 1 << AnswerKind.Changed,
    Volatile = 1 << AnswerKind.Volatile,
    Refused = 1 << AnswerKind.Refused,
    Unknown = 1 << AnswerKind.Unknown,
    Unproven = 1 << AnswerKind.Unproven,
    Accepted = Kept | Changed | Volatile,
    All = Accepted | Refused | Unknown | Unproven,
}

/// <summary>Every rule, in the order of its application.</summary>
internal static class RuleTable
{
    /// <summary>All of these look at the machine; each reports everything it finds.</summary>
    public static IReadOnlyList<MachineRule> Machine { get; } =
    [
        VcpuFeaturesRule.Examine,
        IpaSizeRule.Examine,
        MemoryLayoutRule.Examine,
        InterruptControllerRule.Examine,
        InterruptControllerStateRule.Examine,
        PageSizeRule.Examine,
        SmcccFilterRule.Examine,
        HandlerRule.Examine,
        AttributeRule.Examine,
        MemoryTagsRule.Examine,
        CounterOffsetRule.Examine,
        VcpuAttributeRule.Examine,
        PowerStateRule.Examine,
        PendingEventsRule.Examine,
        UndescribableRule.Examine,
        CounterFrequencyRule.Examine,
        UnreadableRule.Examine,
        SveLengthsRule.Examine,
        PointerAuthenticationRule.Examine,
        ConduitRule.Examine,
        ServiceRule.Examine,
        PhysicalTimerRule.Examine,
    ];

    /// <summary>The first that applies decides. A rule that speaks about accepted answers names its subjects: most registers are accepted, and few rules care.</summary>
    private static readonly (Answers Answers, Func<RegisterId, bool>? Subjects, Relief Relieve)[] Reliefs =
    [
        (Answers.Unknown, null, PsciVersionRule.Relieve),
        (Answers.Unknown, null, HypercallBitmapRule.Relieve),
        (Answers.Unknown, null, WorkaroundLevelRule.Relieve),
        (Answers.All, PmuRule.IsSubject, PmuRule.Relieve),
        (Answers.Unknown, null, AbsentFeatureRule.Relieve),
        (Answers.Unknown | Answers.Refused, null, CacheGeometryRule.Relieve),
        (Answers.All, KnownRegisters.IsCounter, CounterOffsetRule.Relieve),
        (Answers.Unknown, null, PhysicalTimerRule.Relieve),
        (Answers.Unknown, null, OsLockRule.Relieve),
        (Answers.Changed | Answers.Refused | Answers.Unknown, KnownRegisters.IsAArch32Feature, AArch64OnlyRule.Relieve),
        (Answers.Refused, HiddenFieldRule.IsSubject, HiddenFieldRule.Relieve),
        (Answers.Refused, null, ImplementationRule.Relieve),
    ];

    /// <summary>The first whose subject the register is judges it; the last takes every register.</summary>
    private static readonly (Answers Answers, Func<RegisterId, bool>? Subjects, Judge Judge)[] Judges =
    [
        (Answers.Changed, KnownRegisters.IsTimerControl, TimerControlRule.Judge),
        (Answers.Accepted, PmuCountersRule.IsSubject, PmuCountersRule.Judge),
        (Answers.Changed, PmuRule.IsSubject, PmuRule.Judge),
        (Answers.Refused | Answers.Unknown, null, PsciVersionRule.Judge),
        (Answers.Refused | Answers.Unknown, null, HypercallBitmapRule.Judge),
        (Answers.Refused | Answers.Unknown | Answers.Changed, null, WorkaroundLevelRule.Judge),
        (Answers.Refused, null, SveLengthsRule.Judge),
        (Answers.Unknown, null, RegisterUnknownRule.Judge),
        (Answers.Refused, null, ValueRefusedRule.Judge),
        (Answers.Changed, null, SilentlyChangedRule.Judge),
        (Answers.Accepted, PromisedFieldRule.IsSubject, PromisedFieldRule.Judge),
    ];

    /// <summary>By kind of answer, the rules that speak about it.</summary>
    private static readonly RuleSet[] Speaking = [.. Enumerable.Range(0, (int)AnswerKind.Unproven + 1).Select(kind => new RuleSet(
        Bits(Reliefs, r => (r.Answers & (Answers)(1 << kind)) != 0), Bits(Judges, j => (j.Answers & (Answers)(1 << kind)) != 0)))];

    /// <summary>The rules that a register can be a subject of: asked once for a register of a host, not for each that is written there.</summary>
    public static RuleSet Concerning(RegisterId id) =>
        new(Bits(Reliefs, r => r.Subjects?.Invoke(id) ?? true), Bits(Judges, j => j.Subjects?.Invoke(id) ?? true));

    /// <summary>Whether no rule has a word about this answer: what most registers of most moves come to.</summary>
    public static bool IsSilent(RuleSet rules, AnswerKind answer) => answer != AnswerKind.Unproven && rules.And(Speaking[(int)answer]) == default;

    /// <summary>The first relief that applies; null where none does.</summary>
    public static RegisterDecision? Relieve(in RegisterCase register)
    {
        for (var rest = register.Rules.And(Speaking[(int)register.Answer.Kind]).Reliefs; rest != 0; rest &= rest - 1)
            if (Reliefs[BitOperations.TrailingZeroCount(rest)].Relieve(register) is { } decision) return decision;
        return null;
    }

    /// <summary>Everything that stands against writing a register as captured; empty where nothing does.</summary>
    public static IReadOnlyList<Finding> Judge(in RegisterCase register)
    {
        if (register.Answer.Kind == AnswerKind.Unproven)
            return [register.Finding(FindingCode.Unproven, Severity.Note,
                remedy: "probe the destination again: this register was not measured") with { Evidence = Evidence.Assumed }];
        for (var rest = register.Rules.And(Speaking[(int)register.Answer.Kind]).Judges; rest != 0; rest &= rest - 1)
            if (Judges[BitOperations.TrailingZeroCount(rest)].Judge(register) is { } findings) return findings;
        return [];
    }

    private static uint Bits<T>(T[] rules, Func<T, bool> which)
    {
        var bits = 0u;
        for (var i = 0; i < rules.Length; i++)
            if (which(rules[i])) bits |= 1u << i;
        return bits;
    }
}

/// <summary>Some of the rules about registers, by their places in the table.</summary>
/// <param name="Reliefs">Bit n: the relief at n.</param>
/// <param name="Judges">Bit n: the judge at n.</param>
internal readonly record struct RuleSet(uint Reliefs, uint Judges)
{
    /// <summary>Every rule: each looks for itself whether the register is its subject.</summary>
    public static RuleSet All { get; } = new(uint.MaxValue, uint.MaxValue);

    /// <summary>The rules of both.</summary>
    public RuleSet And(RuleSet other) => new(Reliefs & other.Reliefs, Judges & other.Judges);
}
