using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Preflight.Rules;

namespace Migrate.Preflight.Registers;

/// <summary>Policy strict: every register is written as captured, through each vCPU, in list order; whatever is refused or changed stops the move.</summary>
/// <remarks>Vector lengths alone come earlier, because SVE must be finalized before the rest. A dependent's write is judged by what was written before it, what it reads as in the end by everything.</remarks>
internal static class AsCapturedPlanner
{
    /// <summary>Plans every register of every vCPU in list order.</summary>
    public static void Plan(PlanContext context)
    {
        var values = new PlannedValues(context.Prepared);
        List<(VcpuState Vcpu, Register Register, PredictedAnswer Answer)>? dependents = null;
        foreach (var vcpu in context.State.Vcpus)
        {
            foreach (var register in vcpu.Registers.Span)
            {
                var answer = Write(context, vcpu, register, values, Stopping);
                if (answer.IsAccepted && context.Prepared?.Find(register.Id) is { There.When.Count: > 0 }) (dependents ??= []).Add((vcpu, register, answer));
            }
        }
        foreach (var (vcpu, register, answer) in dependents ?? []) Again(context, vcpu, register, answer, values);
    }

    /// <summary>A register that depends on one that was written after it may read otherwise in the end.</summary>
    private static void Again(PlanContext context, VcpuState vcpu, in Register register, in PredictedAnswer before, PlannedValues values)
    {
        if (!context.CanPredict || CapturedAnswers.AtEnd(context.Shape!, register, values.Of(vcpu.Index)) is not { } reads || reads == before.ReadsBack) return;
        var it = RegisterPlanner.CaseOf(context, vcpu, register, context.Prepared?.Find(register.Id), values);
        foreach (var finding in RuleTable.Judge(it)) context.Plan.Add(Stopping(finding));
    }

    /// <summary>Writes one register as captured; its findings pass through <paramref name="worded"/>.</summary>
    /// <returns>What the destination answers to it.</returns>
    public static PredictedAnswer Write(PlanContext context, VcpuState vcpu, Register register, PlannedValues values, Func<Finding, Finding> worded)
    {
        var it = AtEnd(RegisterPlanner.CaseOf(context, vcpu, register, context.Prepared?.Find(register.Id), values));
        var place = register.Id == KnownRegisters.SveLengths ? StepPlace.SveLengths : StepPlace.System;
        var possible = it.Answer.IsAccepted || it.Answer.Kind == AnswerKind.Unproven;
        var expected = possible ? RegisterPlanner.Expected(it.Id, it.Value, it.Answer) : null;
        if (context.Plan.KeepsSteps) context.Plan.Add(place, new WriteRegister(vcpu.Index, it.Id, it.Value, expected, StepOrder.PhaseOf(place)));
        if (possible) values.Wrote(vcpu.Index, it.Id, it.IsVmWide, expected ?? it.Value);
        if (context.CanPredict)
            foreach (var finding in RuleTable.Judge(it)) context.Plan.Add(worded(finding));
        return it.Answer;
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
