using Migrate.Model.Errors;
using Migrate.Transfer.Machines;

namespace Migrate.Transfer.Conformance.Checks;

/// <summary>Release, and the two ways out of it.</summary>
internal static class HandoverChecks
{
    private const string OtherId = "another-handover";

    public static void ReleaseId(Bench bench)
    {
        var session = Stopped(bench);
        foreach (var id in new[] { "", new string('a', 65), "under_score", "sp ace" })
            Subject.Refused(ErrorCode.Protocol, $"release under '{id}'", () => Subject.ReleaseUnder(session.Client, id));
        bench.Source.RequireState(LifecycleState.Quiesced, "a release under no handover id was refused");
        session.Unquiesce();
    }

    public static void ReleaseShown(Bench bench)
    {
        Released(bench);
        var status = bench.Source.Status();
        if (status.State != LifecycleState.Released || status.HandoverId != bench.Source.HandoverId)
            throw new BrokenPromiseException($"release was answered, and status says {Lifecycle.Name(status.State)} under '{status.HandoverId}'");
    }

    public static void ReleaseAgain(Bench bench)
    {
        var session = Released(bench);
        Subject.ReleaseUnder(session.Client, bench.Source.HandoverId);
        Subject.Refused(ErrorCode.WrongState, "release of a released machine under another id", () => Subject.ReleaseUnder(session.Client, OtherId));
        var id = session.Client.Status().HandoverId;
        if (id != bench.Source.HandoverId) throw new BrokenPromiseException($"a second release changed the handover id to '{id}'");
    }

    public static void ReleaseLoss(Bench bench)
    {
        var session = Released(bench);
        session.Die();
        bench.Source.Watch();
        bench.Source.Await(LifecycleState.Released, "the connection of a session ended after its release");
        var next = bench.Source.Connect();
        Subject.Refused(ErrorCode.WrongState, "resume of a released machine", next.Resume);
        bench.Source.RequireState(LifecycleState.Released, "resume of a released machine was refused");
    }

    public static void ReleaseSecret(Bench bench)
    {
        Released(bench);
        var stranger = bench.Source.Connect();
        RequireSecret(bench, "resume-released", () => stranger.ResumeReleased(OtherId));
        RequireSecret(bench, "destroy", () => stranger.Destroy(OtherId));
        RequireSecret(bench, "destroy without an id", () => stranger.Destroy());
        bench.Source.RequireState(LifecycleState.Released, "requests under another id were refused");
    }

    public static void ResumeReleased(Bench bench)
    {
        var session = bench.Source.OpenSource();
        var writes = session.TryCollectWrites(bench.Source.Options.Activity, out _);
        session.Quiesce();
        Subject.ReleaseUnder(session.Client, bench.Source.HandoverId);
        bench.Source.Connect().ResumeReleased(bench.Source.HandoverId);
        var status = bench.Source.Status();
        if (status.State != LifecycleState.Running || status.Session.Length > 0)
            throw new BrokenPromiseException($"resume-released was answered, and the machine is {Lifecycle.Name(status.State)}, its session '{status.Session}'");
        if (writes && !bench.Source.OpenSource().TryCollectWrites(bench.Source.Options.Activity, out _))
            throw new BrokenPromiseException("resume-released was answered, and the guest, which wrote memory before, writes none");
    }

    public static void DestroyRunning(Bench bench)
    {
        var client = bench.Source.Connect();
        Subject.Refused(ErrorCode.WrongState, "destroy of a running machine", () => client.Destroy());
        var session = bench.Source.OpenSource();
        Subject.Refused(ErrorCode.Busy, "destroy of a machine in a session", () => client.Destroy());
        session.Quiesce();
        Subject.Refused(ErrorCode.Busy, "destroy of a quiesced machine", () => client.Destroy());
        session.Unquiesce();
    }

    public static void DestroyReleased(Bench bench)
    {
        if (!bench.HandedOver) Released(bench);
        bench.Source.Connect().Destroy(bench.Source.HandoverId);
        if (!bench.Source.IsGone()) throw new BrokenPromiseException("destroy was answered, and the machine's process still serves its socket");
    }

    private static LoggedSession Stopped(Bench bench)
    {
        var session = bench.Source.OpenSource();
        session.Quiesce();
        return session;
    }

    private static LoggedSession Released(Bench bench)
    {
        var session = Stopped(bench);
        Subject.ReleaseUnder(session.Client, bench.Source.HandoverId);
        return session;
    }

    private static void RequireSecret(Bench bench, string request, Action ask)
    {
        var error = Subject.Refused(ErrorCode.WrongState, $"{request} of a released machine under another id", ask);
        if ($"{error.Reason} {error.Remedy}".Contains(bench.Source.HandoverId, StringComparison.Ordinal))
            throw new BrokenPromiseException($"the error in answer to {request} under another id tells the right one: {error.Reason}");
    }
}
