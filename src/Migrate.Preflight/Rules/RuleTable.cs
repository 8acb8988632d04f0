using Migrate.Model.Hosts;
using Migrate.Model.Plans;
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
        PageSizeRule.Examine,
        SmcccFilterRule.Examine,
        HandlerRule.Examine,
        AttributeRule.Examine,
        MemoryTagsRule.Examine,
        CounterOffsetRule.Examine,
        VcpuAttributeRule.Examine,
        PowerStateRule.Examine,
        UndescribableRule.Examine,
        CounterFrequencyRule.Examine,
        UnreadableRule.Examine,
        SveLengthsRule.Examine,
    ];

    /// <summary>The first that applies decides.</summary>
    private static readonly (Answers Answers, Relief Relieve)[] Reliefs =
    [
        (Answers.Unknown, PsciVersionRule.Relieve),
        (Answers.Unknown, HypercallBitmapRule.Relieve),
        (Answers.Unknown, WorkaroundLevelRule.Relieve),
        (Answers.All, PmuRule.Relieve),
        (Answers.Unknown, AbsentFeatureRule.Relieve),
        (Answers.Unknown | Answers.Refused, CacheGeometryRule.Relieve),
        (Answers.All, CounterOffsetRule.Relieve),
        (Answers.Unknown, PhysicalTimerRule.Relieve),
        (Answers.Unknown, OsLockRule.Relieve),
        (Answers.Changed | Answers.Refused | Answers.Unknown, AArch64OnlyRule.Relieve),
        (Answers.Refused, HiddenFieldRule.Relieve),
    ];

    /// <summary>The first whose subject the register is judges it; the last takes every register.</summary>
    private static readonly (Answers Answers, Judge Judge)[] Judges =
    [
        (Answers.Changed, TimerControlRule.Judge),
        (Answers.Changed, PmuRule.Judge),
        (Answers.Refused | Answers.Unknown, PsciVersionRule.Judge),
        (Answers.Refused | Answers.Unknown, HypercallBitmapRule.Judge),
        (Answers.Refused | Answers.Unknown | Answers.Changed, WorkaroundLevelRule.Judge),
        (Answers.Refused, SveLengthsRule.Judge),
        (Answers.Unknown, RegisterUnknownRule.Judge),
        (Answers.Refused, ValueRefusedRule.Judge),
        (Answers.Changed, SilentlyChangedRule.Judge),
        (Answers.Accepted, PromisedFieldRule.Judge),
    ];

    /// <summary>The first relief that applies; null where none does.</summary>
    public static RegisterDecision? Relieve(in RegisterCase register)
    {
        var answer = (Answers)(1 << (int)register.Answer.Kind);
        foreach (var (answers, relieve) in Reliefs)
            if ((answers & answer) != 0 && relieve(register) is { } decision) return decision;
        return null;
    }

    /// <summary>Everything that stands against writing a register as captured; empty where nothing does.</summary>
    public static IReadOnlyList<Finding> Judge(in RegisterCase register)
    {
        if (register.Answer.Kind == AnswerKind.Unproven)
            return [register.Finding(FindingCode.Unproven, Severity.Note,
                remedy: "probe the destination again: this register was not measured") with { Evidence = Evidence.Assumed }];
        var answer = (Answers)(1 << (int)register.Answer.Kind);
        foreach (var (answers, judge) in Judges)
            if ((answers & answer) != 0 && judge(register) is { } findings) return findings;
        return [];
    }
}
