using Migrate.Model.Errors;
using Migrate.Model.Machines;
using Migrate.Model.Plans;

namespace Migrate.Transfer.Conformance;

/// <summary>The sockets that are tried, and what the checks on one of them need of the other.</summary>
internal sealed class Bench(Subject source, Subject? incoming) : IDisposable
{
    private VmDescription? _vm;
    private MachineState? _state;
    private RestorePlan? _plan;

    /// <summary>The machine that may leave.</summary>
    public Subject Source => source;

    /// <summary>The place where it may arrive.</summary>
    public Subject Incoming => incoming ?? throw new NotTriedException("no incoming place was given");

    /// <summary>Whether the source was released for good and runs in the incoming place, or did.</summary>
    public bool HandedOver { get; private set; }

    /// <summary>The source's description, for a request that must be refused.</summary>
    public VmDescription Vm => _vm ??= source.Connect().Describe().State.Vm;

    /// <summary>The state that the source was captured in; it runs on meanwhile.</summary>
    public MachineState State => _state ??= Captured();

    /// <summary>How that state is restored on the host that it was captured on.</summary>
    public RestorePlan Plan => _plan ??= OwnHost.PlanOf(State);

    /// <summary>Moves the machine to the incoming place, once: from here on the source stays released under its id, and it runs there under the same.</summary>
    public void HandOver()
    {
        if (HandedOver) return;
        using var session = source.OpenSource();
        session.Quiesce();
        (_state, _plan) = (session.Capture(), null);
        using var builder = new Builder(Incoming, Incoming.Connect(), this);
        builder.Begin();
        builder.ExecuteAll(builder.PrepareSteps);
        builder.Fill(session.Memory);
        builder.ExecuteAll(builder.ApplySteps);
        HandedOver = true;
        // Never to be taken back, since it may run there.
        source.HandoverId = Guid.NewGuid().ToString("n");
        Subject.ReleaseUnder(session.Client, source.HandoverId);
        builder.Start(source.HandoverId);
    }

    /// <summary>Ends every connection of the check that is over.</summary>
    public void Release()
    {
        incoming?.Release();
        source.Release();
    }

    public void Dispose()
    {
        incoming?.Dispose();
        source.Dispose();
    }

    private MachineState Captured()
    {
        if (source.Settle(Machines.LifecycleState.Running) is { } why)
            throw new NotTriedException($"the source could not be captured: {why}");
        try
        {
            using var session = source.OpenSource();
            session.Quiesce();
            return session.Capture();
        }
        catch (MigrateException e)
        {
            throw new NotTriedException($"the source could not be captured: {e.Message}");
        }
    }
}
