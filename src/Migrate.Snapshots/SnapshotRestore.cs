using System.Diagnostics;
using System.Security.Cryptography;
using Migrate.Model;
using Migrate.Model.Errors;
using Migrate.Model.Hosts;
using Migrate.Model.Plans;
using Migrate.Preflight;
using Migrate.Transfer.Machines;

namespace Migrate.Snapshots;

/// <summary>What a restore came to.</summary>
public sealed record RestoreOutcome
{
    /// <summary>What the plan says; another verdict than yes stops before anything is built.</summary>
    public required CheckReport Report { get; init; }

    /// <summary>What the steps before the pages came to; null when it did not get there.</summary>
    public RunReport? Prepare { get; init; }

    /// <summary>What the steps after the pages came to; null when it did not get there.</summary>
    public RunReport? Apply { get; init; }

    /// <summary>Whether the machine runs.</summary>
    public bool Started { get; init; }

    /// <summary>How long it took.</summary>
    public required TimeSpan Elapsed { get; init; }
}

/// <summary>Makes a machine of a snapshot again.</summary>
/// <remarks>The machine is the same one as that which the snapshot was taken of: whoever lets both run has it twice.</remarks>
public static class SnapshotRestore
{
    /// <summary>The plan of a restore, without doing it.</summary>
    /// <exception cref="MigrateException">The state cannot be read.</exception>
    public static RestorePlan Plan(SnapshotReader snapshot, HostProfile destination, PlanOptions options) =>
        Planner.Plan(snapshot.ReadState(), destination, options);

    /// <summary>Plans, builds the machine, reads the pages straight into its memory, writes its state, reads it back, starts it.</summary>
    /// <param name="snapshot">Everything that <see cref="SnapshotReader.Verify"/> checks is checked on the way.</param>
    /// <param name="incoming">A connection to a machine that is still to come.</param>
    /// <param name="destination">The fresh profile of this host.</param>
    /// <param name="options">Policy, and what the operator accepts.</param>
    /// <param name="cancellation">Looked at once a frame.</param>
    /// <returns>Also when the plan or the host said no: then nothing runs and what was built is thrown away.</returns>
    /// <exception cref="MigrateException">The file is damaged or the machine's process failed: nothing runs either.</exception>
    public static RestoreOutcome Run(
        SnapshotReader snapshot, MachineClient incoming, HostProfile destination, PlanOptions options, CancellationToken cancellation = default)
    {
        var since = Stopwatch.GetTimestamp();
        var state = snapshot.ReadState();
        var plan = Planner.Plan(state, destination, options);
        var outcome = new RestoreOutcome { Report = Reports.Of(plan, state, destination, includePlan: false), Elapsed = default };
        if (plan.Verdict != Verdict.Yes) return Ended(outcome);

        using var session = incoming.OpenIncoming();
        session.BeginVm(state.Vm);
        outcome = outcome with { Prepare = PlanRunner.Run(plan, StepPhase.Prepare, session) };
        if (!outcome.Prepare.Succeeded) return Ended(outcome);

        if (session.Memory.Slots.Select(slot => slot.Slot).ToEquatableArray() != state.Vm.Memory)
            throw new MigrateException(ErrorCode.Protocol, $"{incoming.Path} built other memory slots than the plan says") { Stage = Stage.Prepare };
        snapshot.Load(session.Memory, cancellation);
        outcome = outcome with { Apply = PlanRunner.Run(plan, StepPhase.Apply, session) };
        if (!outcome.Apply.Succeeded) return Ended(outcome);

        session.Start(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)));
        return Ended(outcome with { Started = true });

        RestoreOutcome Ended(RestoreOutcome result) => result with { Elapsed = Stopwatch.GetElapsedTime(since) };
    }
}
