using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;

namespace Migrate.Preflight;

/// <summary>Counts a plan for people. Renders nothing.</summary>
public static class Reports
{
    /// <summary>The report of a plan that was made from this state for this destination.</summary>
    /// <remarks>Every captured register of every vCPU is counted once: refused before left out, left out before changed, changed before kept.</remarks>
    /// <param name="plan">Which.</param>
    /// <param name="state">Of the machine.</param>
    /// <param name="destination">Where to.</param>
    /// <param name="includePlan">Whether the report holds the plan.</param>
    /// <param name="trial">What a dry run of it came to; null where there was none.</param>
    public static CheckReport Of(RestorePlan plan, MachineState state, HostProfile destination, bool includePlan, TrialReport? trial = null)
    {
        var tally = new Tally(plan);
        var counts = new int[4];
        foreach (var vcpu in state.Vcpus)
            foreach (var register in vcpu.Registers.Span) counts[(int)tally.Of(vcpu.Index, register.Id)]++;
        return new CheckReport
        {
            Verdict = plan.Verdict,
            Policy = plan.Policy,
            Evidence = plan.Evidence,
            Source = Words(state.Vm.Name, state.CapturedOn is { } boot ? Words(boot) : ""),
            Destination = Words(destination.Boot.HostName.Length > 0 ? destination.Boot.HostName : destination.Origin,
                destination.Boot.KernelRelease),
            Kept = counts[(int)Fate.Kept],
            Changed = counts[(int)Fate.Changed],
            LeftOut = counts[(int)Fate.LeftOut],
            Refused = counts[(int)Fate.Refused],
            Findings = plan.Findings,
            Plan = includePlan ? plan : null,
            Trial = trial,
        };
    }

    /// <summary>A host and its kernel, for people.</summary>
    internal static string Words(BootIdentity boot) => Words(boot.HostName, boot.KernelRelease);

    private static string Words(string name, string detail) => name.Length == 0 ? detail : detail.Length == 0 ? name : $"{name} ({detail})";

    private enum Fate
    {
        Kept,
        Changed,
        LeftOut,
        Refused,
    }

    private sealed class Tally
    {
        private const int AnyVcpu = -1;

        private readonly Dictionary<(int Vcpu, RegisterId Id), Fate> _fates = [];

        public Tally(RestorePlan plan)
        {
            foreach (var step in plan.Steps)
            {
                switch (step)
                {
                    case WriteRegister write:
                        Note(write.Vcpu, write.Id, write.Captured is not null || (write.ReadsBack is { } reads && reads != write.Value)
                            ? Fate.Changed : Fate.Kept);
                        break;
                    case LeaveOut leaveOut:
                        Note(leaveOut.Vcpu, leaveOut.Id, Fate.LeftOut);
                        break;
                }
            }
            foreach (var finding in plan.Findings)
            {
                if (finding.Register is not { } id || finding.Accepted) continue;
                // What a dry run saw changed, no step of the plan says.
                var changed = finding is { Code: FindingCode.SilentlyChanged, Evidence: Evidence.Tried, Predicted.Length: > 0 };
                if (finding.Severity != Severity.Refused && !changed) continue;
                var fate = changed ? Fate.Changed : Fate.Refused;
                if (finding.Vcpus.Count == 0) _fates[(AnyVcpu, id)] = fate;
                // The one vCPU that a register of the VM is written through has a fate of its own.
                if (finding.Vcpus.Count == 0 && changed)
                    foreach (var own in _fates.Keys.Where(k => k.Id == id).ToArray()) _fates[own] = fate;
                foreach (var vcpu in finding.Vcpus) _fates[(vcpu, id)] = fate;
            }
        }

        /// <summary>What becomes of a register; one that is kept once for the VM is written through one vCPU for all.</summary>
        public Fate Of(int vcpu, RegisterId id)
        {
            var own = _fates.TryGetValue((vcpu, id), out var fate);
            var shared = _fates.TryGetValue((AnyVcpu, id), out var ofVm);
            if (shared && (!own || ofVm == Fate.Refused)) return ofVm;
            return own ? fate : Fate.Refused;
        }

        private void Note(int vcpu, RegisterId id, Fate fate)
        {
            _fates[(vcpu, id)] = fate;
            _fates.TryAdd((AnyVcpu, id), fate);
        }
    }
}
