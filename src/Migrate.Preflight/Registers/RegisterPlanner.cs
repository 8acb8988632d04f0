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
    /// <param name="context">The plan.</param>
    /// <param name="vcpu">Whose register it is.</param>
    /// <param name="register">The register as captured.</param>
    /// <param name="prepared">What the destination has under that id; null where it has nothing.</param>
    /// <param name="values">What was written before.</param>
    public static RegisterCase CaseOf(PlanContext context, VcpuState vcpu, Register register, PreparedRegister? prepared, PlannedValues values) =>
        CaseOf(context, vcpu, register, prepared, values, AnswerTo(context, vcpu, register, prepared, values));

    private static RegisterCase CaseOf(PlanContext context, VcpuState vcpu, in Register register, PreparedRegister? prepared, PlannedValues values,
        in PredictedAnswer answer) => new()
        {
            Context = context,
            Vcpu = vcpu,
            Id = register.Id,
            Value = register.Value,
            There = prepared?.There,
            Rules = prepared?.Rules ?? RuleSet.All,
            Values = values,
            Answer = answer,
        };

    private static PredictedAnswer AnswerTo(PlanContext context, VcpuState vcpu, in Register register, PreparedRegister? prepared, PlannedValues values) =>
        context.CanPredict
            ? context.Shape!.Predict(prepared?.There, register.Value, values.Of(vcpu.Index))
            : new PredictedAnswer(AnswerKind.Unproven, 0, null);

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
        var total = 0;
        foreach (var vcpu in context.State.Vcpus) total += vcpu.Registers.Count;
        var buffer = ArrayPool<Place>.Shared.Rent(2 * total);
        try
        {
            var listed = buffer.AsSpan(0, total);
            var ordered = buffer.AsSpan(total, total);
            List(context, listed);
            Sort(listed, ordered);
            foreach (ref readonly var at in ordered) PlanOne(context, at, shared, values);
        }
        finally
        {
            ArrayPool<Place>.Shared.Return(buffer);
        }
    }

    private static void PlanOne(PlanContext context, in Place at, Dictionary<RegisterId, RegisterValue>? shared, PlannedValues values)
    {
        var vcpu = context.State.Vcpus[at.Vcpu];
        ref readonly var register = ref vcpu.Registers.Span[at.Register];
        var prepared = at.There < 0 ? null : context.Prepared![at.There];
        var there = prepared?.There;
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
        var answer = AnswerTo(context, vcpu, register, prepared, values);
        if (!context.CanPredict || (prepared is not null && RuleTable.IsSilent(prepared.Rules, answer.Kind)))
        {
            // Most registers of most moves: nothing to decide, nothing to say.
            Write(context, at, register, register.Value, Expected(register.Id, register.Value, answer), "", RegisterCase.IsVmWideAt(register.Id, there), values);
            return;
        }
        var it = CaseOf(context, vcpu, register, prepared, values, answer);
        Carry(it, at, register, Decide(it), values);
    }

    private static RegisterDecision Decide(in RegisterCase it)
    {
        if (RuleTable.Relieve(it) is { } relieved) return relieved;
        var findings = RuleTable.Judge(it);
        if (it.Answer.IsAccepted || it.Answer.Kind == AnswerKind.Unproven)
            return RegisterDecision.Write(it.Value, Expected(it.Id, it.Value, it.Answer), "", findings);
        if (findings.All(it.Context.Plan.MayAccept))
            return VisibleChange.Of(it, findings);
        return new RegisterDecision(Act.Refuse, default, null, "", findings);
    }

    private static void Carry(in RegisterCase it, in Place at, in Register register, in RegisterDecision decision, PlannedValues values)
    {
        var plan = it.Context.Plan;
        for (var i = 0; i < decision.Findings.Count; i++) plan.Add(decision.Findings[i]);
        switch (decision.Act)
        {
            case Act.Write:
                Write(it.Context, at, register, decision.Value, decision.ReadsBack, decision.Why, it.IsVmWide, values);
                break;
            case Act.LeaveOut:
                if (plan.KeepsSteps) plan.Add(at.Step, new LeaveOut(it.Vcpu.Index, it.Id, it.Value, decision.Why, StepOrder.PhaseOf(at.Step)));
                break;
        }
    }

    private static void Write(PlanContext context, in Place at, in Register register, in RegisterValue value, in RegisterValue? readsBack, string why,
        bool vmWide, PlannedValues values)
    {
        var vcpu = context.State.Vcpus[at.Vcpu].Index;
        if (context.Plan.KeepsSteps)
        {
            RegisterValue? captured = value != register.Value ? register.Value : null;
            context.Plan.Add(at.Step, new WriteRegister(vcpu, register.Id, value, readsBack, StepOrder.PhaseOf(at.Step), captured, why));
        }
        values.Wrote(vcpu, register.Id, vmWide, readsBack ?? value);
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

    /// <summary>One register of one vCPU, where it is written and where the destination's shape has it; numbers instead of references, because a plan has hundreds.</summary>
    private readonly record struct Place(StepPlace Step, int Vcpu, int Register, int There);

    /// <summary>All registers as captured.</summary>
    private static void List(PlanContext context, Span<Place> listed)
    {
        var next = 0;
        for (var vcpu = 0; vcpu < context.State.Vcpus.Count; vcpu++)
        {
            var registers = context.State.Vcpus[vcpu].Registers.Span;
            var there = -1;
            for (var i = 0; i < registers.Length; i++)
            {
                var found = context.Prepared?.Find(registers[i].Id, there) ?? -1;
                listed[next++] = new Place(found < 0 ? StepOrder.PlaceOf(registers[i].Id, null) : context.Prepared![found].Place, vcpu, i, found);
                if (found >= 0) there = found;
            }
        }
    }

    /// <summary>By place, those of one place in the order in which they are.</summary>
    private static void Sort(ReadOnlySpan<Place> listed, Span<Place> ordered)
    {
        Span<int> starts = stackalloc int[StepOrder.Places.Count + 1];
        starts.Clear();
        foreach (ref readonly var at in listed) starts[(int)at.Step + 1]++;
        for (var i = 1; i < starts.Length; i++) starts[i] += starts[i - 1];
        foreach (ref readonly var at in listed) ordered[starts[(int)at.Step]++] = at;
    }
}
