using Migrate.Model.Plans;

namespace Migrate.Model.Encoding.Definitions;

/// <summary>Plans, findings and reports. Steps are in <see cref="Steps"/>.</summary>
internal static class Plans
{
    private const int MaxSteps = 1 << 20;
    private const int MaxFindings = 1 << 14;

    public static Shape<Finding> Finding { get; } = DefineFinding();

    public static Shape<RestorePlan> Plan { get; } = DefinePlan();

    public static Shape<CheckReport> Check { get; } = DefineCheck();

    public static Shape<RunReport> Run { get; } = DefineRun();

    private static Shape<RestorePlan> DefinePlan()
    {
        var r = new RecordShape<RestorePlan>("RestorePlan",
            "How a state becomes a VM on one destination, and everything that was found on the way.");
        var verdict = r.Required("verdict", Shapes.Enum<Verdict>(), v => v.Verdict, "The answer.");
        var policy = r.Required("policy", Shapes.Enum<Policy>(), v => v.Policy, "Under which policy.");
        var evidence = r.Required("evidence", Shapes.Enum<Evidence>(), v => v.Evidence, "The weakest evidence that the verdict rests on.");
        var findings = r.Required("findings", Shapes.List(Finding, MaxFindings), v => v.Findings, "Every finding, worst first.");
        var steps = r.Required("steps", Shapes.List(Steps.Step, MaxSteps).Where(OrderProblem), v => v.Steps,
            "The steps in the order of their execution.");
        return r.Build(v => new RestorePlan
        {
            Verdict = v.Get(verdict),
            Policy = v.Get(policy),
            Evidence = v.Get(evidence),
            Steps = v.Get(steps),
            Findings = v.Get(findings),
        });
    }

    private static Shape<CheckReport> DefineCheck()
    {
        var r = new RecordShape<CheckReport>("CheckReport", "Whether a machine survives the move to a destination, and why.");
        var verdict = r.Required("verdict", Shapes.Enum<Verdict>(), v => v.Verdict, "The answer.");
        var policy = r.Required("policy", Shapes.Enum<Policy>(), v => v.Policy, "Under which policy.");
        var evidence = r.Required("evidence", Shapes.Enum<Evidence>(), v => v.Evidence, "The weakest evidence that the verdict rests on.");
        var source = r.Required("source", Shapes.Text, v => v.Source, "The source, for people.");
        var destination = r.Required("destination", Shapes.Text, v => v.Destination, "The destination, for people.");
        var kept = r.Required("kept", Rules.Count, v => v.Kept, "Registers written as captured and read back the same, over all vCPUs.");
        var changed = r.Required("changed", Rules.Count, v => v.Changed, "Registers for which another value is written or read back.");
        var leftOut = r.Required("leftOut", Rules.Count, v => v.LeftOut, "Registers left out on purpose.");
        var refused = r.Required("refused", Rules.Count, v => v.Refused, "Registers the destination refuses or does not know.");
        var findings = r.Required("findings", Shapes.List(Finding, MaxFindings), v => v.Findings, "Every finding, worst first.");
        var plan = r.Optional("plan", Shapes.Optional(Plan), v => v.Plan, null, "The plan, when asked for.");
        var trial = r.Optional("trial", Shapes.Optional(DefineTrial()), v => v.Trial, null, "What the dry run came to; absent where there was none.");
        return r.Build(v => new CheckReport
        {
            Verdict = v.Get(verdict),
            Policy = v.Get(policy),
            Evidence = v.Get(evidence),
            Source = v.Get(source),
            Destination = v.Get(destination),
            Kept = v.Get(kept),
            Changed = v.Get(changed),
            LeftOut = v.Get(leftOut),
            Refused = v.Get(refused),
            Findings = v.Get(findings),
            Plan = v.Get(plan),
            Trial = v.Get(trial),
        });
    }

    private static Shape<Finding> DefineFinding()
    {
        var vcpuList = Shapes.List(Rules.VcpuIndex, Rules.MaxVcpus).Where(list => Rules.Repeated(list, v => v, v => $"vCPU {v}"));
        var r = new RecordShape<Finding>("Finding", "One thing that stands between a state and a destination, or that is worth knowing.");
        var code = r.Required("code", Shapes.Enum<FindingCode>(), v => v.Code, "What kind; --accept takes it.");
        var severity = r.Required("severity", Shapes.Enum<Severity>(), v => v.Severity, "How bad.");
        var evidence = r.Required("evidence", Shapes.Enum<Evidence>(), v => v.Evidence, "How it is known.");
        var subject = r.Required("subject", Shapes.Text, v => v.Subject,
            "What it is about: a register or field by its architectural name, or a part of the description.");
        var register = r.Optional("register", Shapes.OptionalValue(Registers.Id), v => v.Register, null,
            "The register's id, where the finding is about one.");
        var vcpus = r.Optional("vcpus", vcpuList, v => v.Vcpus, default, "The vCPUs it holds for; absent: the whole VM.");
        var here = r.Optional("here", Shapes.Text, v => v.Here, "", "What the source has, for people.");
        var there = r.Optional("there", Shapes.Text, v => v.There, "", "What the destination has or accepts, for people.");
        var answer = r.Optional("answer", Shapes.Text, v => v.Answer, "", "What the host would answer, or did where it was tried: EINVAL, ENOENT, reads back 0x3.");
        var predicted = r.Optional("predicted", Shapes.Text, v => v.Predicted, "",
            "What the plan expected where the host, tried, answered otherwise; absent where they agree.");
        var remedy = r.Optional("remedy", Shapes.Text, v => v.Remedy, "", "What to do about it, one sentence.");
        var accepted = r.Optional("accepted", Shapes.Boolean, v => v.Accepted, false, "Whether the operator accepted it by name.");
        return r.Build(v => new Finding
        {
            Code = v.Get(code),
            Severity = v.Get(severity),
            Evidence = v.Get(evidence),
            Subject = v.Get(subject),
            Register = v.Get(register),
            Vcpus = v.Get(vcpus),
            Here = v.Get(here),
            There = v.Get(there),
            Answer = v.Get(answer),
            Predicted = v.Get(predicted),
            Remedy = v.Get(remedy),
            Accepted = v.Get(accepted),
        });
    }

    private static Shape<RunReport> DefineRun()
    {
        var r = new RecordShape<RunReport>("RunReport", "What executing a plan came to.");
        var failed = r.Required("failed", Shapes.List(DefineFailed(), MaxSteps), v => v.Failed,
            "Steps that the target did not answer with success.");
        var differences = r.Required("differences", Shapes.List(DefineDifference(), MaxSteps), v => v.Differences,
            "Registers that read back otherwise than the plan said.");
        var executed = r.Required("executed", Rules.Count, v => v.Executed, "How many steps ran.");
        return r.Build(v => new RunReport { Failed = v.Get(failed), Differences = v.Get(differences), Executed = v.Get(executed) });
    }

    private static Shape<TrialReport> DefineTrial()
    {
        var u = new RecordShape<UntriedStep>("UntriedStep", "A step, or part of one, that was not tried.");
        var step = u.Required("step", Rules.Count, v => v.Step, "Index in the plan's steps.");
        var what = u.Required("what", Shapes.Text, v => v.What, "What of it, for people.");
        var why = u.Required("why", Shapes.Text, v => v.Why, "Why not, or what its success does not show.");
        var part = u.Build(v => new UntriedStep(v.Get(step), v.Get(what), v.Get(why)));

        var r = new RecordShape<TrialReport>("TrialReport", "What became of a plan on a scratch VM, which was then thrown away.");
        var executed = r.Required("executed", Rules.Count, v => v.Executed, "Steps that the scratch VM was given.");
        var compared = r.Required("compared", Rules.Count, v => v.Compared, "Registers that were read back at the end and compared with the plan.");
        var failed = r.Required("failed", Shapes.List(DefineFailed(), MaxSteps), v => v.Failed, "Steps that the host refused.");
        var differences = r.Required("differences", Shapes.List(DefineDifference(), MaxSteps), v => v.Differences,
            "Registers that read back otherwise than the plan said.");
        var untried = r.Required("untried", Shapes.List(part, MaxSteps), v => v.Untried,
            "What was not tried; for it the evidence is what it was before.");
        return r.Build(v => new TrialReport
        {
            Executed = v.Get(executed),
            Compared = v.Get(compared),
            Failed = v.Get(failed),
            Differences = v.Get(differences),
            Untried = v.Get(untried),
        });
    }

    private static Shape<FailedStep> DefineFailed()
    {
        var r = new RecordShape<FailedStep>("FailedStep", "A step that the target refused.").OneLine();
        var step = r.Required("step", Rules.Count, v => v.Step, "Index in the plan's steps.");
        var errno = r.Required("errno", Rules.Errno, v => v.Errno, "The positive errno.");
        var note = r.Optional("note", Shapes.Text, v => v.Note ?? "", "", "What the target says about it.");
        return r.Build(v => new FailedStep(v.Get(step), v.Get(errno), v.Get(note)));
    }

    private static Shape<ReadBackDifference> DefineDifference()
    {
        var r = new RecordShape<ReadBackDifference>("ReadBackDifference", "A register that reads back otherwise than planned.").OneLine();
        var vcpu = r.Required("vcpu", Rules.VcpuIndex, v => v.Vcpu, "Through which vCPU.");
        r.Hint("name", v => Model.Registers.RegisterCatalog.Name(v.Id), Registers.NameDescription);
        var id = r.Required("id", Registers.Id, v => v.Id, "KVM's id.");
        var expected = r.Required("expected", Shapes.RegisterValue, v => v.Expected, "What the plan said.");
        var actual = r.Optional("actual", Shapes.OptionalValue(Shapes.RegisterValue), v => v.Actual, null,
            "What was read; absent when it could not be read.");
        r.Rule(v => Rules.Size(v.Id, v.Expected) ?? Rules.Size(v.Id, v.Actual));
        return r.Build(v => new ReadBackDifference(v.Get(vcpu), v.Get(id), v.Get(expected), v.Get(actual)));
    }

    private static string? OrderProblem(EquatableArray<RestoreStep> steps)
    {
        for (var i = 1; i < steps.Count; i++)
            if (steps[i].Phase < steps[i - 1].Phase) return $"step {i} belongs before the first page but follows a step of after the stop";
        return null;
    }
}
