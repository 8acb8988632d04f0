using Migrate.Model;
using Migrate.Model.Errors;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Ports;

namespace Migrate.Preflight.Trials;

/// <summary>Plans a state and executes the plan on a scratch VM, which is then thrown away: the verdict rests on what the host did.</summary>
public static class DryRun
{
    /// <summary>Most guest memory of a scratch VM, in bytes over all slots: address space alone, but that ends as well.</summary>
    public const ulong LargestMemory = 1UL << 44;

    /// <summary>Most vCPUs of a scratch VM; each is a descriptor and some kernel memory.</summary>
    public const int MostVcpus = 512;

    /// <summary>Most memory slots of a scratch VM.</summary>
    public const int MostSlots = 512;

    // ENOMEM, ENFILE, EMFILE; asm-generic/errno-base.h.
    private static readonly int[] Shortages = [12, 23, 24];

    /// <summary>Tries a state. Nothing is executed that the plan would not write: what it refuses or leaves out is not tried either.</summary>
    /// <remarks>A finding about what was tried has the evidence <see cref="Evidence.Tried"/>. Where the host answered otherwise than the plan expected,
    /// the finding says both, and no <c>--accept</c> lifts it: the move would fail there.</remarks>
    /// <param name="state">The machine; may come from anybody.</param>
    /// <param name="destination">A profile of the host.</param>
    /// <param name="options">Policy and what the operator accepts.</param>
    /// <param name="host">The host.</param>
    /// <param name="includePlan">Whether the report holds the plan.</param>
    /// <param name="source">What the source host is, where known.</param>
    /// <exception cref="MigrateException"><see cref="ErrorCode.TooLarge"/>: a machine that no scratch VM is made for; nothing was created.
    /// <see cref="ErrorCode.System"/>, worth retrying: the host ran out of memory or descriptors, which says nothing about the machine.</exception>
    public static CheckReport Run(
        MachineState state, HostProfile destination, PlanOptions options, IScratchHost host, bool includePlan = false, HostProfile? source = null)
    {
        Bound(state);
        var prepared = new PreparedHost(destination);
        var plan = Planner.Plan(state, prepared, options, source);
        var outcome = Execute(plan, host);
        var ground = new PlanContext(state, prepared, options, source, keepsSteps: false).Ground;
        var tried = PlanBuilder.Conclude(
            options, plan.Steps, [.. TriedFindings.Of(plan, outcome)], outcome.IsComplete ? Evidence.Tried : ground);
        return Reports.Of(tried, state, destination, includePlan, outcome.Report);
    }

    /// <summary>What decides how much a scratch VM takes is judged before there is one.</summary>
    private static void Bound(MachineState state)
    {
        var vm = state.Vm;
        if (state.Vcpus.Count > MostVcpus) throw TooLarge($"it has {state.Vcpus.Count} vCPUs, at most {MostVcpus} are tried");
        if (vm.Memory.Count > MostSlots) throw TooLarge($"it has {vm.Memory.Count} memory slots, at most {MostSlots} are tried");
        var left = LargestMemory;
        foreach (var slot in vm.Memory)
        {
            if (slot.Size > left) throw TooLarge($"its memory slots are larger than {LargestMemory >> 40} TiB together");
            left -= slot.Size;
        }
    }

    private static MigrateException TooLarge(string why) =>
        new(ErrorCode.TooLarge, $"no scratch VM is made for this machine: {why}") { Stage = Stage.Plan };

    private static TrialOutcome Execute(RestorePlan plan, IScratchHost host)
    {
        using var target = host.NewScratch();
        var prepare = PlanRunner.Run(plan, StepPhase.Prepare, target);
        var apply = PlanRunner.Run(plan, StepPhase.Apply, target);
        var failed = prepare.Failed.Concat(apply.Failed).ToArray();
        foreach (var step in failed)
        {
            if (Shortages.Contains(step.Errno))
                throw new MigrateException(ErrorCode.System, $"the host cannot try it now: {TrialWords.Of(plan.Steps[step.Step])}: {TrialWords.Answer(step)}")
                { Stage = Stage.Prepare, IsTransient = true };
        }
        var differences = prepare.Differences.Concat(apply.Differences).GroupBy(d => (d.Vcpu, d.Id)).Select(g => g.Last()).ToEquatableArray();
        var refused = failed.Select(f => plan.Steps[f.Step]).OfType<WriteRegister>().Select(w => new RegisterAddress(w.Vcpu, w.Id)).ToHashSet();
        var lost = new LostSteps(plan, failed);
        var report = new TrialReport
        {
            Executed = prepare.Executed + apply.Executed,
            Compared = Compared(plan, failed),
            Failed = failed.Where(f => !lost.Contains(f.Step)).ToEquatableArray(),
            // What was never created or never written cannot read back; the second phase reads what the first one wrote, refused or not.
            Differences = differences.Where(d => !lost.ContainsVcpu(d.Vcpu) && !refused.Contains(new(d.Vcpu, d.Id))).ToEquatableArray(),
            Untried = lost.Untried.Concat(UntriedOf(plan, target)).ToEquatableArray(),
        };
        return new TrialOutcome(report, lost, LeftOut(plan, target), Found(plan, report, target));
    }

    private static int Compared(RestorePlan plan, FailedStep[] failed)
    {
        var refused = failed.Select(f => f.Step).ToHashSet();
        var last = new Dictionary<RegisterAddress, bool>();
        for (var i = 0; i < plan.Steps.Count; i++)
            if (plan.Steps[i] is WriteRegister write && !refused.Contains(i)) last[new(write.Vcpu, write.Id)] = write.ReadsBack is not null;
        return last.Values.Count(compared => compared);
    }

    private static IEnumerable<UntriedStep> UntriedOf(RestorePlan plan, IScratchTarget target)
    {
        foreach (var part in target.Untried)
        {
            for (var i = 0; i < plan.Steps.Count; i++)
                if (ReferenceEquals(plan.Steps[i], part.Step)) yield return new UntriedStep(i, part.What, part.Why);
        }
    }

    /// <summary>Left-out registers that the host confirms: it has no such register, or the value is there without being written. Reading changes nothing.</summary>
    private static HashSet<RegisterAddress> LeftOut(RestorePlan plan, IScratchTarget target)
    {
        var steps = plan.Steps.OfType<LeaveOut>().ToArray();
        var answers = target.Read([.. steps.Select(s => new RegisterAddress(s.Vcpu, s.Id))]);
        var confirmed = new HashSet<RegisterAddress>();
        for (var i = 0; i < steps.Length; i++)
            if (answers[i].Errno == NoSuchRegister || answers[i].Value == steps[i].Captured) confirmed.Add(new(steps[i].Vcpu, steps[i].Id));
        return confirmed;
    }

    /// <summary>What the host has in the registers whose writes it refused.</summary>
    private static Dictionary<RegisterAddress, ReadAnswer> Found(RestorePlan plan, TrialReport report, IScratchTarget target)
    {
        RegisterAddress[] refused = [.. report.Failed.Select(f => plan.Steps[f.Step]).OfType<WriteRegister>().Select(w => new RegisterAddress(w.Vcpu, w.Id)).Distinct()];
        var answers = target.Read(refused);
        var found = new Dictionary<RegisterAddress, ReadAnswer>();
        for (var i = 0; i < refused.Length; i++) found[refused[i]] = answers[i];
        return found;
    }

    private const int NoSuchRegister = 2;
}
