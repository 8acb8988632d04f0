using System.Buffers;
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
        var values = new PlannedValues(context.Prepared);
        // One vCPU has nobody to share with.
        var shared = context.State.Vcpus.Count > 1 ? new Dictionary<RegisterId, RegisterValue>() : null;
        var total = context.State.Vcpus.Sum(v => v.Registers.Count);
        var order = ArrayPool<Place>.Shared.Rent(total);
        try
        {
            Sort(context, order.AsSpan(0, total));
            foreach (var at in order.AsSpan(0, total)) PlanOne(context, at, shared, values);
        }
        finally
        {
            ArrayPool<Place>.Shared.Return(order);
        }
    }

    private static void PlanOne(PlanContext context, Place at, Dictionary<RegisterId, RegisterValue>? shared, PlannedValues values)
    {
        var vcpu = context.State.Vcpus[at.Vcpu];
        var register = vcpu.Registers.Span[at.Register];
        var there = context.Shape?.Find(register.Id);
        if (shared is not null)
        {
            var (vmWide, counts) = (RegisterCase.IsVmWideAt(register.Id, there), KnownRegisters.IsCounter(register.Id));
            if ((vmWide || counts) && !shared.TryAdd(register.Id, register.Value))
            {
                if (vmWide && !counts && there?.Stored.Volatile != true && shared[register.Id] != register.Value)
                    Disagree(context, vcpu, register, shared[register.Id]);
                return;
            }
        }
        var it = CaseOf(context, vcpu, register, there, values);
        Carry(it, at.Step, Decide(it), values);
    }

    private static RegisterDecision Decide(in RegisterCase it)
    {
        if (!it.Context.CanPredict) return RegisterDecision.Write(it.Value, Expected(it.Id, it.Value, it.Answer), "");
        if (RuleTable.Relieve(it) is { } relieved) return relieved;
        var findings = RuleTable.Judge(it);
        if (it.Answer.IsAccepted || it.Answer.Kind == AnswerKind.Unproven)
            return RegisterDecision.Write(it.Value, Expected(it.Id, it.Value, it.Answer), "", findings);
        if (findings.All(it.Context.Plan.MayAccept))
            return VisibleChange.Of(it, findings);
        return new RegisterDecision(Act.Refuse, default, null, "", findings);
    }

    private static void Carry(in RegisterCase it, StepPlace place, in RegisterDecision decision, PlannedValues values)
    {
        var plan = it.Context.Plan;
        var phase = StepOrder.PhaseOf(place);
        foreach (var finding in decision.Findings) plan.Add(finding);
        switch (decision.Act)
        {
            case Act.Write:
                RegisterValue? captured = decision.Value != it.Value ? it.Value : null;
                if (plan.KeepsSteps) plan.Add(place, new WriteRegister(it.Vcpu.Index, it.Id, decision.Value, decision.ReadsBack, phase, captured, decision.Why));
                values.Wrote(it.Vcpu.Index, it.Id, it.IsVmWide, decision.ReadsBack ?? decision.Value);
                break;
            case Act.LeaveOut:
                if (plan.KeepsSteps) plan.Add(place, new LeaveOut(it.Vcpu.Index, it.Id, it.Value, decision.Why, phase));
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

    /// <summary>One register of one vCPU and where it is written; numbers instead of references, because a plan has hundreds.</summary>
    private readonly record struct Place(StepPlace Step, int Vcpu, int Register);

    /// <summary>All registers by place, then by vCPU, then in list order.</summary>
    private static void Sort(PlanContext context, Span<Place> sorted)
    {
        Span<int> starts = stackalloc int[StepOrder.Places.Count + 1];
        starts.Clear();
        foreach (var vcpu in context.State.Vcpus)
            foreach (var register in vcpu.Registers.Span) starts[(int)PlaceOf(context, register.Id) + 1]++;
        for (var i = 1; i < starts.Length; i++) starts[i] += starts[i - 1];
        for (var vcpu = 0; vcpu < context.State.Vcpus.Count; vcpu++)
        {
            var registers = context.State.Vcpus[vcpu].Registers.Span;
            for (var i = 0; i < registers.Length; i++)
            {
                var place = PlaceOf(context, registers[i].Id);
                sorted[starts[(int)place]++] = new Place(place, vcpu, i);
            }
        }
    }

    private static StepPlace PlaceOf(PlanContext context, RegisterId id) =>
        context.Prepared?.PlaceOf(id) ?? StepOrder.PlaceOf(id, null);
}
