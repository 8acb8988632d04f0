using Migrate.Model.Plans;
using Migrate.Preflight.Registers;

namespace Migrate.Preflight.Rules;

/// <summary>A rule about the description of the machine.</summary>
internal delegate void MachineRule(PlanContext context);

/// <summary>A way to carry a register although the host does not take it, or to do without it; null where it does not apply. Policy vmmigrate only.</summary>
internal delegate RegisterDecision? Relief(in RegisterCase register);

/// <summary>What is to be said about writing a register as captured; null where the register is not this rule's subject.</summary>
internal delegate IReadOnlyList<Finding>? Judge(in RegisterCase register);

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
    public static IReadOnlyList<Relief> Reliefs { get; } =
    [
        PsciVersionRule.Relieve,
        HypercallBitmapRule.Relieve,
        WorkaroundLevelRule.Relieve,
        PmuRule.Relieve,
        AbsentFeatureRule.Relieve,
        CacheGeometryRule.Relieve,
        CounterOffsetRule.Relieve,
        PhysicalTimerRule.Relieve,
        HiddenFieldRule.Relieve,
    ];

    /// <summary>The first whose subject the register is judges it; the last takes every register.</summary>
    public static IReadOnlyList<Judge> Judges { get; } =
    [
        TimerControlRule.Judge,
        PmuRule.Judge,
        PsciVersionRule.Judge,
        HypercallBitmapRule.Judge,
        WorkaroundLevelRule.Judge,
        SveLengthsRule.Judge,
        RegisterUnknownRule.Judge,
        ValueRefusedRule.Judge,
        SilentlyChangedRule.Judge,
        PromisedFieldRule.Judge,
    ];

    /// <summary>Everything that stands against writing a register as captured; empty where nothing does.</summary>
    public static IReadOnlyList<Finding> Judge(in RegisterCase register)
    {
        if (register.Answer.Kind == Model.Hosts.AnswerKind.Unproven)
            return [register.Finding(FindingCode.Unproven, Severity.Note,
                remedy: "probe the destination again: this register was not measured") with { Evidence = Evidence.Assumed }];
        foreach (var judge in Judges)
            if (judge(register) is { } findings) return findings;
        return [];
    }
}
