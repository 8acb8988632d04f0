using Migrate.Kvm.State;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Preflight;
using Migrate.Preflight.Trials;

namespace Migrate.LabGuest.Jobs;

/// <summary>A state on a scratch VM of a host.</summary>
internal static class Restored
{
    /// <summary>Everything of it was tried, and everything reads back.</summary>
    /// <returns>How much that was.</returns>
    public static string WithoutDifference(MachineState state, HostProfile host, HostProfile? source, KvmScratchHost scratch)
    {
        var report = DryRun.Run(state, host, new PlanOptions(), scratch, source: source);
        CheckFailedException.Equal("", string.Join("; ", report.Findings.Where(f => f.Stops).Select(f => $"{f.Subject} {f.Here} {f.There} {f.Answer}")), "findings");
        CheckFailedException.Equal("", string.Join("; ", report.Trial!.Untried), "untried");
        CheckFailedException.Equal(0, report.Trial.Failed.Count, "refused steps");
        CheckFailedException.Equal(0, report.Trial.Differences.Count, "registers that differ");
        CheckFailedException.Equal(Verdict.Yes, report.Verdict, "verdict");
        // What is left out was not written, so its reason (and that CNTPCT_EL0 then jumps) may rest on the measurement; anything else was tried.
        CheckFailedException.Equal("", string.Join("; ", report.Findings.Where(f => f.Code is not (FindingCode.LeftOut or FindingCode.CounterOffset) && f.Evidence != Evidence.Tried).Select(f => f.Subject)), "not tried");
        CheckFailedException.That(report.Trial.Compared > 200, $"only {report.Trial.Compared} registers were compared");
        return $"yes, {report.Trial.Executed} steps, {report.Trial.Compared} registers compared";
    }
}
