using Migrate.Model;
using Migrate.Model.Errors;
using Migrate.Model.Plans;
using Migrate.Model.Ports;

namespace Migrate.Preflight;

/// <summary>Executes a plan on anything that can be restored to: a scratch VM, a simulated host, the real incoming VM.</summary>
public static class PlanRunner
{
    /// <summary>Executes every step of one phase in order, then reads back each register that the plan wrote up to the end of that phase.</summary>
    /// <remarks>
    /// A refused step does not end the run: every refusal is wanted. A register whose write was refused in this run is not read back; that it differs is no news.
    /// </remarks>
    /// <exception cref="MigrateException">The target did not answer each step or each read (<see cref="ErrorCode.Protocol"/>).</exception>
    public static RunReport Run(RestorePlan plan, StepPhase phase, IRestoreTarget target)
    {
        var steps = new List<RestoreStep>();
        var indices = new List<int>();
        for (var i = 0; i < plan.Steps.Count; i++)
        {
            if (plan.Steps[i].Phase != phase || plan.Steps[i] is LeaveOut) continue;
            steps.Add(plan.Steps[i]);
            indices.Add(i);
        }

        var answers = Complete(target.Execute(steps), steps.Count, "steps");
        var failed = new List<FailedStep>();
        for (var i = 0; i < answers.Count; i++)
            if (!answers[i].Succeeded) failed.Add(new FailedStep(indices[i], answers[i].Errno, answers[i].Note));

        return new RunReport
        {
            Failed = failed.ToEquatableArray(),
            Differences = ReadBack(plan, phase, failed, target),
            Executed = steps.Count,
        };
    }

    private static EquatableArray<ReadBackDifference> ReadBack(RestorePlan plan, StepPhase phase, List<FailedStep> failed, IRestoreTarget target)
    {
        var refused = failed.Select(f => f.Step).ToHashSet();
        var addresses = new List<RegisterAddress>();
        var expected = new Dictionary<RegisterAddress, WriteRegister>();
        for (var i = 0; i < plan.Steps.Count; i++)
        {
            if (plan.Steps[i] is not WriteRegister write || write.Phase > phase || refused.Contains(i)) continue;
            var address = new RegisterAddress(write.Vcpu, write.Id);
            if (expected.TryAdd(address, write)) addresses.Add(address);
            else expected[address] = write;
        }
        addresses.RemoveAll(a => expected[a].ReadsBack is null);

        var differences = new List<ReadBackDifference>();
        var answers = Complete(target.Read(addresses), addresses.Count, "reads");
        for (var i = 0; i < answers.Count; i++)
        {
            var wanted = expected[addresses[i]].ReadsBack!.Value;
            var actual = answers[i].Errno == 0 ? answers[i].Value : null;
            if (actual != wanted) differences.Add(new ReadBackDifference(addresses[i].Vcpu, addresses[i].Id, wanted, actual));
        }
        return differences.ToEquatableArray();
    }

    private static IReadOnlyList<T> Complete<T>(IReadOnlyList<T> answers, int asked, string what) =>
        answers.Count == asked
            ? answers
            : throw new MigrateException(ErrorCode.Protocol, $"the restore target answered {answers.Count} of {asked} {what}");
}
