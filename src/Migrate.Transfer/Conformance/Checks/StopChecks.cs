using Migrate.Model;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Transfer.Machines;

namespace Migrate.Transfer.Conformance.Checks;

/// <summary>The stopped machine: it stands still, and its capture says what it is.</summary>
internal static class StopChecks
{
    public static void QuiesceStill(Bench bench)
    {
        var session = bench.Source.OpenSource();
        session.Quiesce();
        SessionChecks.RequireStill(bench.Source, session, LifecycleState.Quiesced, "quiesce was answered");
        session.Unquiesce();
    }

    public static void CaptureSilent(Bench bench)
    {
        var session = bench.Source.OpenSource();
        session.Quiesce();
        var before = session.Hash();
        session.Capture();
        foreach (var (slot, page) in session.Hash().Changed(before))
            throw new BrokenPromiseException($"capture was asked for, and page {page} of memory slot index {slot} was written");
        session.Unquiesce();
    }

    public static void CaptureStable(Bench bench)
    {
        var session = bench.Source.OpenSource();
        session.Quiesce();
        var first = session.Capture();
        bench.Source.Watch();
        var second = session.Capture();
        foreach (var difference in StateDifference.Between(WithoutClocks(first), WithoutClocks(second)))
            throw new BrokenPromiseException($"two captures of one stop differ: {difference.Subject} is {difference.Here}, then {difference.There}");
        session.Unquiesce();
    }

    public static void CaptureDescribed(Bench bench)
    {
        var session = bench.Source.OpenSource();
        var described = session.Client.Describe().State;
        session.Quiesce();
        var captured = session.Capture();
        if (captured.Vm != described.Vm) throw new BrokenPromiseException("the VM that was captured is not the one that was described");
        for (var i = 0; i < described.Vcpus.Count; i++)
        {
            if (i >= captured.Vcpus.Count) throw new BrokenPromiseException($"{described.Vcpus.Count} vCPUs were described and {captured.Vcpus.Count} captured");
            var missing = described.Vcpus[i].Registers.Where(r => !captured.Vcpus[i].Registers.Contains(r.Id)).Select(r => r.Id.ToString()).FirstOrDefault();
            if (missing is not null) throw new BrokenPromiseException($"register {missing} of vCPU {i} was described and not captured");
        }
        session.Unquiesce();
    }

    public static void UnquiesceRuns(Bench bench)
    {
        var session = bench.Source.OpenSource();
        session.CollectWrites(bench.Source.Options.Activity);
        session.Quiesce();
        session.Collect();
        session.Unquiesce();
        bench.Source.RequireState(LifecycleState.Logging, "unquiesce was answered");
        if (!session.TryCollectWrites(bench.Source.Options.Activity, out _))
            throw new BrokenPromiseException("unquiesce was answered, and the guest, which wrote memory before, writes none");
    }

    public static void UnquiesceOfPaused(Bench bench)
    {
        bench.Source.Connect().Pause();
        var session = bench.Source.OpenSource();
        session.Quiesce();
        session.Unquiesce();
        bench.Source.RequireState(LifecycleState.Logging, "unquiesce was answered");
        SessionChecks.RequireStill(bench.Source, session, LifecycleState.Logging, "unquiesce was answered to the session of a machine that was paused when it was opened");
    }

    /// <summary>The counters go on while a VM stands still; which registers a restore can read back, the plan knows.</summary>
    private static MachineState WithoutClocks(MachineState state)
    {
        var steady = OwnHost.PlanOf(state).Steps.OfType<WriteRegister>().Where(w => w.ReadsBack is not null).Select(w => (w.Vcpu, w.Id)).ToHashSet();
        return state with
        {
            Vcpus = state.Vcpus.Select(v => v with { Registers = new RegisterSet(v.Registers.Where(r => steady.Contains((v.Index, r.Id)))) }).ToEquatableArray(),
        };
    }
}
