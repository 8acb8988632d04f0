using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;

namespace Migrate.Preflight.Baselines;

/// <summary>One reason why a configuration does not serve an ordered pair: what the planner finds, or that the source does not create such a VM.</summary>
internal sealed record PairFailure(HostView Source, HostView Destination, Finding? Finding, CreationRefusal? Refusal)
{
    public RegisterId? Register => Finding?.Register ?? Refusal?.Register;

    public string Subject => Finding?.Subject ?? Refusal!.Subject;

    /// <summary>The reason in a few words.</summary>
    public string Words => Refusal is not null ? $"{Source.Name} does not create it: {Refusal}"
        : string.Join(", ", new[]
        {
            Finding!.Here.Length > 0 ? $"{Finding.Subject} {Finding.Here}" : Finding.Subject,
            Finding.There.Length > 0 ? $"there {Finding.There}" : "",
            Finding.Answer,
        }.Where(w => w.Length > 0));
}

/// <summary>Asks the planner about every ordered pair of hosts: the construction of a baseline is never trusted.</summary>
internal sealed class PairTrials(IReadOnlyList<HostView> hosts, PlanOptions options)
{
    /// <summary>Everything that stands against a configuration; a host's move to itself stands for the moves among hosts of the same profile.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="verdict">No where there is a failure, else the weakest verdict of all pairs.</param>
    /// <param name="firstOnly">Stop at the first pair that fails.</param>
    public IReadOnlyList<PairFailure> Failures(VmConfig config, out Verdict verdict, bool firstOnly = false)
    {
        var failures = new List<PairFailure>();
        verdict = Verdict.Yes;
        foreach (var source in hosts)
        {
            if (source.Create(config, out var refusal) is not { } state)
            {
                foreach (var destination in hosts) failures.Add(new PairFailure(source, destination, null, refusal));
            }
            else
            {
                foreach (var destination in hosts)
                {
                    var plan = Planner.Plan(state, destination.Profile, options, source.Profile);
                    if (plan.Verdict == Verdict.Unproven) verdict = Verdict.Unproven;
                    foreach (var finding in plan.Findings)
                        if (finding.Stops) failures.Add(new PairFailure(source, destination, finding, null));
                    if (firstOnly && failures.Exists(f => f.Finding is not null)) break;
                }
            }
            if (firstOnly && failures.Exists(f => f.Finding is not null)) break;
        }
        if (failures.Count > 0) verdict = Verdict.No;
        return failures;
    }

    /// <summary>The weakest verdict of one host with others, in both directions and with itself; null where a pair fails.</summary>
    public static Verdict? Between(HostView one, IReadOnlyList<HostView> others, VmConfig config, PlanOptions options)
    {
        var weakest = Verdict.Yes;
        if (one.Create(config, out _) is not { } state) return null;
        foreach (var other in others.Append(one))
        {
            var back = other.Create(config, out _);
            if (back is null || !Serves(state, one, other) || !Serves(back, other, one)) return null;
        }
        return weakest;

        bool Serves(MachineState of, HostView source, HostView destination)
        {
            var verdict = Planner.Plan(of, destination.Profile, options, source.Profile).Verdict;
            if (verdict == Verdict.Unproven) weakest = verdict;
            return verdict != Verdict.No;
        }
    }

    /// <summary>How much stands against one register: planned with a state of this register and those that rules look at beside it.</summary>
    public int Obstacles(VmConfig config, RegisterId id)
    {
        var count = 0;
        // In a large set hosts that say the same of the register stand for each other; every pair is planned in the end all the same.
        var asked = hosts.Count > Baseline.ExactUpTo ? [.. hosts.DistinctBy(h => h.Index.Find(id))] : hosts;
        foreach (var source in asked)
        {
            if (source.Create(config, out var refusal) is not { } state)
            {
                if (refusal!.Register == id) count += asked.Count;
                continue;
            }
            var all = state.Vcpus[0].Registers;
            if (!all.Contains(id)) continue;
            var few = new RegisterSet(all.Where(r => r.Id == id || Array.IndexOf(ConfigRegisters.Context, r.Id) >= 0));
            state = state with { Vcpus = [state.Vcpus[0] with { Registers = few }] };
            foreach (var destination in asked)
                foreach (var finding in Planner.Plan(state, destination.Profile, options, source.Profile).Findings)
                    if (finding.Stops && finding.Register == id) count++;
        }
        return count;
    }
}
