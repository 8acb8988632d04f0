using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Preflight.Rules;

namespace Migrate.Preflight.Registers;

/// <summary>Policy strict: every register is written as captured, through each vCPU, in list order; whatever is refused or changed stops the move.</summary>
/// <remarks>Vector lengths alone come earlier, because SVE must be finalized before the rest. A dependent is judged by what was written before it, nothing else.</remarks>
internal static class AsCapturedPlanner
{
    /// <summary>Plans every register of every vCPU in list order.</summary>
    public static void Plan(PlanContext context)
    {
        var values = new PlannedValues(context.Prepared);
        foreach (var vcpu in context.State.Vcpus)
            foreach (var register in vcpu.Registers.Span) Write(context, vcpu, register, values, Stopping);
    }

    /// <summary>Writes one register as captured; its findings pass through <paramref name="worded"/>.</summary>
    public static void Write(PlanContext context, VcpuState vcpu, Register register, PlannedValues values, Func<Finding, Finding> worded)
    {
        var it = AtEnd(RegisterPlanner.CaseOf(context, vcpu, register, context.Prepared?.Find(register.Id), values));
        var place = register.Id == KnownRegisters.SveLengths ? StepPlace.SveLengths : StepPlace.System;
        var possible = it.Answer.IsAccepted || it.Answer.Kind == AnswerKind.Unproven;
        var expected = possible ? RegisterPlanner.Expected(it.Id, it.Value, it.Answer) : null;
        if (context.Plan.KeepsSteps) context.Plan.Add(place, new WriteRegister(vcpu.Index, it.Id, it.Value, expected, StepOrder.PhaseOf(place)));
        if (possible) values.Wrote(vcpu.Index, it.Id, it.IsVmWide, expected ?? it.Value);
        if (!context.CanPredict) return;
        foreach (var finding in RuleTable.Judge(it)) context.Plan.Add(worded(finding));
    }

    /// <summary>The case with the answer that counts at the end: half of a mask is changed again by its other half.</summary>
    private static RegisterCase AtEnd(in RegisterCase it)
    {
        if (!it.Answer.IsAccepted || MaskPairs.Of(it.Id) is not { } pair) return it;
        return MaskPairs.AtEnd(it.Context.Shape!, pair, it.Vcpu.Registers, it.Values.Of(it.Vcpu.Index)) is { } mask
            ? it with { Answer = new PredictedAnswer(mask == it.Value ? AnswerKind.Kept : AnswerKind.Changed, 0, mask) } : it;
    }

    /// <summary>A change that does no harm is a change all the same.</summary>
    private static Finding Stopping(Finding finding) =>
        finding.Severity == Severity.Note && finding.Code != FindingCode.Unproven
            ? finding with { Severity = Severity.Lossy, Remedy = "policy strict takes no change at all; policy vmmigrate does, and says why" } : finding;
}
