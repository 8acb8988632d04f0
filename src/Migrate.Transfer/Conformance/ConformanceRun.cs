using Migrate.Model;
using Migrate.Model.Errors;
using Migrate.Transfer.Machines;

namespace Migrate.Transfer.Conformance;

/// <summary>Tries the promises of the machine socket on the processes behind one or two of them, whatever VMM they are.</summary>
public static class ConformanceRun
{
    /// <summary>Tries every promise that the options ask for, each from a machine that runs and is held by nobody, and leaves the machine as it was.</summary>
    /// <param name="socket">Socket of a machine that runs or is paused, or that a run which was killed left released.</param>
    /// <param name="options">What to try.</param>
    /// <param name="cancellation">Looked at between two promises; those left are not tried.</param>
    /// <returns>One result for each promise that was asked for.</returns>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Usage"/>: no such promise; <see cref="ErrorCode.Unreachable"/>; <see cref="ErrorCode.Busy"/>: a session holds a
    /// machine; <see cref="ErrorCode.WrongState"/>: a machine is in no state from which it can be tried.</exception>
    public static ConformanceReport Run(string socket, ConformanceOptions options, CancellationToken cancellation = default)
    {
        var wanted = Select(options.Only);
        using var bench = new Bench(new Subject(socket, options), options.Incoming is { } place ? new Subject(place, options) : null);
        bench.Source.TakeBack();
        var found = Free(bench.Source.Status(), socket, LifecycleState.Running, LifecycleState.Paused);
        if (options.Incoming is { } incoming) Free(bench.Incoming.Status(), incoming, LifecycleState.Incoming);

        List<PromiseResult> results = [];
        foreach (var promise in wanted)
            results.Add(cancellation.IsCancellationRequested ? new PromiseResult(promise, Outcome.NotTried, "cancelled") : Try(promise, bench, options));
        if (!bench.HandedOver && results.TrueForAll(r => r.Promise.Name != "destroy-released" || r.Outcome == Outcome.NotTried)) bench.Source.Settle(found.State);
        return new ConformanceReport(found.Name, results.ToEquatableArray());
    }

    private static IReadOnlyList<Promise> Select(IReadOnlyCollection<string> only)
    {
        var unknown = only.Where(name => PromiseTable.All.All(p => p.Name != name)).ToList();
        if (unknown.Count > 0)
            throw new MigrateException(ErrorCode.Usage, $"no promise is called {string.Join(", ", unknown)}") { Stage = Stage.Input, Remedy = "See: vmmigrate conformance --list" };
        return [.. PromiseTable.All.Where(p => only.Count == 0 || only.Contains(p.Name))];
    }

    /// <summary>A status that shows nobody in the way; a check never takes a machine from somebody.</summary>
    private static MachineStatus Free(MachineStatus status, string socket, params LifecycleState[] states)
    {
        if (status.Session.Length > 0)
            throw new MigrateException(ErrorCode.Busy, $"machine {status.Name} is held by {status.Session}") { Stage = Stage.Input, IsTransient = true };
        if (!states.Contains(status.State))
            throw new MigrateException(ErrorCode.WrongState, $"machine {status.Name} at {socket} is {Lifecycle.Name(status.State)}; it must be {string.Join(" or ", states.Select(Lifecycle.Name))}")
            {
                Stage = Stage.Input,
            };
        return status;
    }

    private static PromiseResult Try(Promise promise, Bench bench, ConformanceOptions options)
    {
        if (promise.Cost == Cost.Machine && !options.MayEndMachine) return new PromiseResult(promise, Outcome.NotTried, "its check ends the machine");
        if (promise.Cost == Cost.Patience && !options.Slow) return new PromiseResult(promise, Outcome.NotTried, "its check is slow");
        if (promise.On == Side.Incoming && options.Incoming is null) return new PromiseResult(promise, Outcome.NotTried, "no incoming place was given");
        options.Trying?.Invoke(promise);
        try
        {
            Begin(promise, bench);
            promise.Check(bench);
            return new PromiseResult(promise, Outcome.Kept);
        }
        catch (NotTriedException e)
        {
            return new PromiseResult(promise, Outcome.NotTried, e.Message);
        }
        catch (MigrateException e)
        {
            return new PromiseResult(promise, Outcome.Broken, e.Message);
        }
        finally
        {
            bench.Release();
        }
    }

    /// <summary>Every check begins at the same place, so that what one leaves behind is no other promise's matter.</summary>
    private static void Begin(Promise promise, Bench bench)
    {
        if (bench.HandedOver) return;
        bench.Source.Begin(LifecycleState.Running);
        if (promise.On == Side.Incoming) bench.Incoming.Begin(LifecycleState.Incoming);
    }
}
