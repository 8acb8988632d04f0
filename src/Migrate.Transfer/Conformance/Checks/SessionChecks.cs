using Migrate.Model.Errors;
using Migrate.Transfer.Machines;
using Migrate.Transfer.Wire;

namespace Migrate.Transfer.Conformance.Checks;

/// <summary>Who holds the machine, and what becomes of it when its holder is gone.</summary>
internal static class SessionChecks
{
    public static void OneSession(Bench bench)
    {
        bench.Source.OpenSource();
        RequireHolderNamed(bench.Source, "open-source", client => client.OpenSource());
    }

    public static void OneBuilder(Bench bench)
    {
        new Builder(bench.Incoming, bench.Incoming.Connect(), bench).Begin();
        RequireHolderNamed(bench.Incoming, "open-incoming", client => client.OpenIncoming());
    }

    public static void HolderOnly(Bench bench)
    {
        var session = bench.Source.OpenSource();
        var stranger = bench.Source.Connect();
        Refused(stranger, "collect", c => c.Ask(FrameKind.Collect, MachineMessages.Consumed, 0, FrameKind.Collected, MachineMessages.Collected));
        Refused(stranger, "throttle", c => c.Tell(FrameKind.Throttle, MachineMessages.Percent, 0));
        Refused(stranger, "get-memory", c => c.Ask(FrameKind.GetMemory, MachineMessages.FirstSlot, 0, FrameKind.Memory, MachineMessages.Memory));
        Refused(stranger, "quiesce", c => c.Tell(FrameKind.Quiesce));
        Refused(stranger, "close-session", c => c.Tell(FrameKind.CloseSession));
        session.Quiesce();
        Refused(stranger, "capture", c => c.Ask(FrameKind.Capture, FrameKind.Captured, Model.Encoding.Documents.MachineState));
        Refused(stranger, "unquiesce", c => c.Tell(FrameKind.Unquiesce));
        Refused(stranger, "release", c => Subject.ReleaseUnder(c, bench.Source.HandoverId));
        bench.Source.RequireState(LifecycleState.Quiesced, "requests of others were refused");
        session.Unquiesce();
    }

    public static void CloseSession(Bench bench)
    {
        var session = bench.Source.OpenSource();
        session.Quiesce();
        session.Close();
        var status = session.Client.Status();
        if (status.State != LifecycleState.Running || status.Session.Length > 0)
            throw new BrokenPromiseException($"close-session was answered, and the machine is {Lifecycle.Name(status.State)}, its session '{status.Session}'");
    }

    public static void LossResumes(Bench bench)
    {
        foreach (var quiesced in new[] { false, true })
        {
            var session = bench.Source.OpenSource();
            var writes = session.TryCollectWrites(bench.Source.Options.Activity, out _);
            if (quiesced) session.Quiesce();
            session.Die();
            var what = $"the connection of a session ended while the machine was {(quiesced ? "quiesced" : "logging")}";
            bench.Source.Await(LifecycleState.Running, what);
            if (!writes) continue;
            var next = bench.Source.OpenSource();
            if (!next.TryCollectWrites(bench.Source.Options.Activity, out _))
                throw new BrokenPromiseException($"{what}, and the machine is said to run and writes no memory any more");
            next.Die();
            bench.Source.Await(LifecycleState.Running, "a session ended");
        }
    }

    public static void LossOfPaused(Bench bench)
    {
        bench.Source.Connect().Pause();
        var session = bench.Source.OpenSource();
        session.Quiesce();
        session.Die();
        const string What = "the connection of a session ended whose machine was paused when it was opened";
        bench.Source.Await(LifecycleState.Paused, What);
        RequireStill(bench.Source, bench.Source.OpenSource(), LifecycleState.Logging, What);
    }

    public static void PauseStops(Bench bench)
    {
        var client = bench.Source.Connect();
        client.Pause();
        var session = bench.Source.OpenSource(client);
        RequireStill(bench.Source, session, LifecycleState.Logging, "pause was answered");
        session.Close();
        client.Resume();
        bench.Source.RequireState(LifecycleState.Running, "resume was answered");
    }

    /// <summary>Nothing of the machine's memory changes while it is watched.</summary>
    public static void RequireStill(Subject machine, LoggedSession session, LifecycleState state, string after)
    {
        var before = session.Hash();
        machine.Watch();
        // Asked as well, since a machine that writes when it is looked at does not stand still.
        machine.RequireState(state, after);
        foreach (var (slot, page) in session.Hash().Changed(before))
            throw new BrokenPromiseException($"{after}, and page {page} of memory slot index {slot} was written afterwards");
    }

    private static void RequireHolderNamed(Subject machine, string request, Action<MachineClient> open)
    {
        var other = machine.Connect();
        var holder = other.Status().Session;
        if (holder.Length == 0) throw new BrokenPromiseException("a session is open, and status names nobody who holds it");
        var error = Subject.Refused(ErrorCode.Busy, $"a second {request}", () => open(other));
        if (!error.Reason.Contains(holder, StringComparison.Ordinal))
            throw new BrokenPromiseException($"a second {request} was refused without the name of the holder ({holder}): {error.Reason}");
    }

    private static void Refused(MachineClient stranger, string request, Action<MachineClient> ask) =>
        Subject.Refused(ErrorCode.WrongState, $"{request} by another connection than the session's", () => ask(stranger));
}
