using Migrate.Model.Encoding;
using Migrate.Model.Errors;
using Migrate.Transfer.Machines;
using Migrate.Transfer.Wire;

namespace Migrate.Transfer.Conformance.Checks;

/// <summary>The table of states: in each, what may not be asked is refused with the right error, and what may and changes nothing is answered.</summary>
internal static class StateChecks
{
    /// <summary>Requests that a promise of its own is about, where the table would try them on a machine that may not survive a wrong answer or that has a second asker.</summary>
    private static readonly FrameKind[] Elsewhere = [FrameKind.Destroy, FrameKind.Status];

    public static void Running(Bench bench) => Judge(bench, bench.Source, LifecycleState.Running, null);

    public static void Paused(Bench bench)
    {
        bench.Source.Connect().Pause();
        Judge(bench, bench.Source, LifecycleState.Paused, null);
    }

    public static void Logging(Bench bench) => Judge(bench, bench.Source, LifecycleState.Logging, bench.Source.OpenSource().Client, FrameKind.OpenSource);

    public static void Quiesced(Bench bench)
    {
        var session = bench.Source.OpenSource();
        session.Quiesce();
        Judge(bench, bench.Source, LifecycleState.Quiesced, session.Client, FrameKind.OpenSource);
        session.Unquiesce();
    }

    public static void Released(Bench bench)
    {
        var session = bench.Source.OpenSource();
        session.Quiesce();
        Subject.ReleaseUnder(session.Client, bench.Source.HandoverId);
        Judge(bench, bench.Source, LifecycleState.Released, session.Client);
    }

    public static void Incoming(Bench bench) => Judge(bench, bench.Incoming, LifecycleState.Incoming, null);

    public static void Prepared(Bench bench)
    {
        var builder = new Builder(bench.Incoming, bench.Incoming.Connect(), bench);
        builder.Begin();
        Judge(bench, bench.Incoming, LifecycleState.Prepared, builder.Client, FrameKind.OpenIncoming);
    }

    public static void Applied(Bench bench)
    {
        var builder = new Builder(bench.Incoming, bench.Incoming.Connect(), bench);
        builder.Begin();
        builder.ExecuteAll(builder.PrepareSteps);
        builder.EnterApplied();
        Judge(bench, bench.Incoming, LifecycleState.Applied, builder.Client, FrameKind.OpenIncoming);
    }

    /// <summary>Asks for everything, as somebody who holds nothing and, where there is one, as the holder of the session.</summary>
    /// <param name="bench">Where samples of payloads come from.</param>
    /// <param name="machine">Whom to ask.</param>
    /// <param name="state">Where the machine stands.</param>
    /// <param name="holder">The session's connection; null where there is no session.</param>
    /// <param name="elsewhere">A request that a promise of its own is about.</param>
    private static void Judge(Bench bench, Subject machine, LifecycleState state, MachineClient? holder, FrameKind elsewhere = FrameKind.Invalid)
    {
        machine.RequireState(state, "the machine was brought there");
        var stranger = machine.Connect();
        foreach (var group in Lifecycle.Table.GroupBy(line => line.Request))
        {
            var request = group.Key;
            if (Elsewhere.Contains(request) || request == elsewhere) continue;
            var lines = group.ToList();
            // That only the holder may ask is holder-only's matter.
            if (holder is null || lines[0].Who != Caller.Holder) Judge(bench, stranger, "", lines, state, isHolder: false, isHeld: holder is not null);
            if (holder is not null) Judge(bench, holder, " by the session", lines, state, isHolder: true, isHeld: true);
        }
        machine.RequireState(state, "only requests were made that change nothing or were refused");
    }

    private static void Judge(Bench bench, MachineClient client, string who, List<Transition> lines, LifecycleState state, bool isHolder, bool isHeld)
    {
        var (request, caller) = (lines[0].Request, lines[0].Who);
        var what = $"{FrameTable.Of(request).Name}{who} of a machine that is {Lifecycle.Name(state)}";
        var there = lines.Exists(line => line.From.Contains(state));
        if (caller == Caller.Unheld && isHeld) Subject.Refused(ErrorCode.Busy, what, () => Ask(bench, client, request));
        else if (!there || (caller == Caller.Holder && !isHolder)) Subject.Refused(ErrorCode.WrongState, what, () => Ask(bench, client, request));
        else if (StaysAt(request)) Answered(what, () => Ask(bench, client, request));
    }

    /// <summary>Requests that leave the machine where it is, whatever they are asked with here.</summary>
    private static bool StaysAt(FrameKind request) =>
        request is FrameKind.Describe or FrameKind.Collect or FrameKind.Throttle or FrameKind.Capture or FrameKind.GetMemory or FrameKind.Execute or FrameKind.Read;

    private static void Answered(string what, Action ask)
    {
        try
        {
            ask();
        }
        catch (MigrateException e)
        {
            throw new BrokenPromiseException($"{what} was not answered: {e.Message}");
        }
    }

    /// <summary>A request that is right in all but, perhaps, its time.</summary>
    private static void Ask(Bench bench, MachineClient client, FrameKind request)
    {
        switch (request)
        {
            case FrameKind.Describe: client.Describe(); break;
            case FrameKind.OpenSource: Ask(client, request, FrameKind.SessionOpened, MachineMessages.SessionOpened); break;
            case FrameKind.OpenIncoming: Ask(client, request, FrameKind.SessionOpened, MachineMessages.SessionOpened); break;
            case FrameKind.GetMemory: GetMemory(client); break;
            case FrameKind.Collect: client.Ask(request, MachineMessages.Consumed, 0, FrameKind.Collected, MachineMessages.Collected); break;
            case FrameKind.Throttle: client.Tell(request, MachineMessages.Percent, 0); break;
            case FrameKind.Capture: Ask(client, request, FrameKind.Captured, Documents.MachineState); break;
            case FrameKind.Begin: client.Tell(request, Documents.VmDescription, bench.Vm); break;
            case FrameKind.Execute: client.Ask(request, MachineMessages.Steps, [], FrameKind.Answers, MachineMessages.Answers); break;
            case FrameKind.Read: client.Ask(request, MachineMessages.Registers, [], FrameKind.Values, MachineMessages.Values); break;
            case FrameKind.Release or FrameKind.StartMachine or FrameKind.ResumeReleased: client.Tell(request, MachineMessages.Handover, "conformance-probe"); break;
            case FrameKind.InjectEvent: client.InjectEvent(0, EventChecks.NoEvent); break;
            default: client.Tell(request); break;
        }
    }

    private static void Ask<R>(MachineClient client, FrameKind request, FrameKind reply, Shape<R> shape) => client.Ask(request, reply, shape);

    private static void GetMemory(MachineClient client)
    {
        List<System.Runtime.InteropServices.SafeHandle> descriptors = [];
        client.AskForDescriptors(FrameKind.GetMemory, MachineMessages.FirstSlot, 0, FrameKind.Memory, MachineMessages.Memory, descriptors);
        descriptors.ForEach(d => d.Dispose());
    }
}
