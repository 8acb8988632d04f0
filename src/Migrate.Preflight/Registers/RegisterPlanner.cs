using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;
using Migrate.Preflight.Rules;

namespace Migrate.Preflight.Registers;

/// <summary>Decides for every captured register: write it, write another value, leave it out, or refuse. Registers are judged in the order in which they will be written.</summary>
internal static class RegisterPlanner
{
    /// <summary>Adds the register steps and findings of the policy in force.</summary>
    public static void Plan(PlanContext context)
    {
        switch (context.Options.Policy)
        {
            case Policy.Vmmigrate:
                PlanOurs(context);
                break;
            case Policy.Qemu:
                QemuPlanner.Plan(context);
                break;
            default:
                AsCapturedPlanner.Plan(context);
                break;
        }
    }

    /// <summary>The case of one register at this moment of the plan.</summary>
    public static RegisterCase CaseOf(PlanContext context, VcpuState vcpu, Register register, RegisterAcceptance? there,
        PlannedValues values) => new()
        {
            Context = context,
            Vcpu = vcpu,
            Id = register.Id,
            Value = register.Value,
            There = there,
            Values = values,
            Answer = context.CanPredict
            ? context.Shape!.Predict(register.Id, register.Value, values.Of(vcpu.Index))
            : new PredictedAnswer(AnswerKind.Unproven, 0, null),
        };

    /// <summary>What a write must read back as. A timer's control shows by itself that the timer has fired, counters count: nothing is proven there.</summary>
    public static RegisterValue? Expected(RegisterId id, RegisterValue written, PredictedAnswer answer) =>
        KnownRegisters.IsCounter(id) || KnownRegisters.IsTimerControl(id) ? null
        : answer.Kind == AnswerKind.Unproven ? written
        : answer.ReadsBack;

    private static void PlanOurs(PlanContext context)
    {
        var values = new PlannedValues(context.Shape);
        var shared = new Dictionary<RegisterId, RegisterValue>();
        foreach (var (place, vcpu, register, there) in InOrder(context))
        {
            var vmWide = RegisterCase.IsVmWideAt(register.Id, there);
            if (vmWide || KnownRegisters.IsCounter(register.Id))
            {
                if (!shared.TryAdd(register.Id, register.Value))
                {
                    if (vmWide && there?.Stored.Volatile != true && !KnownRegisters.IsCounter(register.Id) && shared[register.Id] != register.Value)
                        Disagree(context, vcpu, register, shared[register.Id]);
                    continue;
                }
            }
            var it = CaseOf(context, vcpu, register, there, values);
            Carry(it, place, Decide(it), values);
        }
    }

    private static RegisterDecision Decide(RegisterCase it)
    {
        if (!it.Context.CanPredict) return RegisterDecision.Write(it.Value, Expected(it.Id, it.Value, it.Answer), "");
        foreach (var relief in RuleTable.Reliefs)
            if (relief(it) is { } decision) return decision;
        var findings = RuleTable.Judge(it);
        if (it.Answer.IsAccepted || it.Answer.Kind == AnswerKind.Unproven)
            return RegisterDecision.Write(it.Value, Expected(it.Id, it.Value, it.Answer), "", findings);
        if (findings.All(it.Context.Plan.MayAccept))
            return RegisterDecision.LeaveOut($"accepted by name ({findings[0].Code.Text()}): the destination's own value stays", findings);
        return new RegisterDecision(Act.Refuse, default, null, "", findings);
    }

    private static void Carry(RegisterCase it, StepPlace place, RegisterDecision decision, PlannedValues values)
    {
        var plan = it.Context.Plan;
        var phase = StepOrder.PhaseOf(place);
        foreach (var finding in decision.Findings) plan.Add(finding);
        switch (decision.Act)
        {
            case Act.Write:
                RegisterValue? captured = decision.Value != it.Value ? it.Value : null;
                plan.Add(place, new WriteRegister(it.Vcpu.Index, it.Id, decision.Value, decision.ReadsBack, phase, captured, decision.Why));
                values.Wrote(it.Vcpu.Index, it.Id, it.IsVmWide, decision.ReadsBack ?? decision.Value);
                break;
            case Act.LeaveOut:
                plan.Add(place, new LeaveOut(it.Vcpu.Index, it.Id, it.Value, decision.Why, phase));
                break;
        }
    }

    private static void Disagree(PlanContext context, VcpuState vcpu, Register register, RegisterValue first) => context.Plan.Add(new Finding
    {
        Code = FindingCode.ValueRefused,
        Severity = Severity.Refused,
        Evidence = context.RegisterEvidence,
        Subject = RegisterCatalog.Name(register.Id),
        Register = register.Id,
        Vcpus = [vcpu.Index],
        Here = $"{RegisterText.Describe(register.Id, register.Value)}, but {RegisterText.Describe(register.Id, first)} through vCPU {context.State.Vcpus[0].Index}",
        There = "one value for the whole VM",
        Remedy = "the destination keeps this register once for the VM: give every vCPU the same value",
    });

    /// <summary>All registers by place, then by vCPU, then in list order.</summary>
    private static IEnumerable<(StepPlace Place, VcpuState Vcpu, Register Register, RegisterAcceptance? There)> InOrder(PlanContext context)
    {
        var known = new Dictionary<RegisterId, (StepPlace Place, RegisterAcceptance? There)>();
        var byPlace = new List<(VcpuState, Register, RegisterAcceptance?)>[StepOrder.Places.Count];
        foreach (var vcpu in context.State.Vcpus)
        {
            foreach (var register in vcpu.Registers.Span)
            {
                if (!known.TryGetValue(register.Id, out var what))
                {
                    var there = context.Shape?.Find(register.Id);
                    known.Add(register.Id, what = (StepOrder.PlaceOf(register.Id, there), there));
                }
                (byPlace[(int)what.Place] ??= []).Add((vcpu, register, what.There));
            }
        }
        for (var place = 0; place < byPlace.Length; place++)
            foreach (var (vcpu, register, there) in byPlace[place] ?? []) yield return ((StepPlace)place, vcpu, register, there);
    }
}
