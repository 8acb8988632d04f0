using Migrate.Kvm.Vmm.Calls;
using Migrate.Model;
using Migrate.Model.Machines;

namespace Migrate.Kvm.Vmm;

/// <summary>The handlers of one machine.</summary>
/// <remarks>A description names those that the guest was promised. The state of others moves as well once the guest has changed it.</remarks>
/// <param name="create">Makes a new one for this machine.</param>
internal sealed class MachineHandlers(Func<HandlerKind, IVmHandler> create)
{
    private readonly List<Entry> _entries = [];
    private string[] _promised = [];

    /// <summary>Names that the machine's description carries, in its order.</summary>
    public IReadOnlyList<string> Promised => _promised;

    /// <summary>Those that answer accesses to memory.</summary>
    public IEnumerable<IMmioHandler> Mmio => _entries.Select(e => e.Handler).OfType<IMmioHandler>();

    /// <summary>Those that answer calls.</summary>
    public IEnumerable<ICallHandler> Calls => _entries.Select(e => e.Handler).OfType<ICallHandler>();

    /// <summary>Takes a vCPU out of the guest so that handlers see it before it goes on; the machine that runs sets it.</summary>
    public Action<int> Kick { get; set; } = _ => { };

    /// <summary>Says why this VMM cannot give a machine what its guest was promised; null when it can.</summary>
    public static string? Obstacle(VmDescription vm)
    {
        foreach (var name in vm.Handlers)
            if (HandlerTable.Find(name) is null) return $"the VM needs a handler {name}, which this VMM has not";
        if (!vm.Handlers.Contains(Sdei.HandlerName)) return null;
        // Where the kernel switches vCPUs off, nobody tells the handler that what it holds of their programs is void.
        if (!vm.Handlers.Contains(Psci.HandlerName)) return "the handler sdei needs the handler psci beside it";
        return vm.Features.Has(VcpuFeatures.El2) ? "the handler sdei interrupts EL1, and the VM has EL2" : null;
    }

    /// <summary>Makes those that a description names and those that are always there.</summary>
    public void Promise(IEnumerable<string> names)
    {
        _promised = [.. names];
        foreach (var kind in HandlerTable.All)
            if (kind.IsAlwaysThere || _promised.Contains(kind.Name)) Obtain(kind);
    }

    /// <summary>State of those that the guest was promised or has changed, in the table's order.</summary>
    public IEnumerable<HandlerState> Capture()
    {
        foreach (var (handler, reset) in _entries.OrderBy(e => e.Place))
        {
            var state = handler.Capture();
            if (_promised.Contains(handler.Name) || !state.AsSpan().SequenceEqual(reset)) yield return new HandlerState(handler.Name, handler.Version, EquatableArray.Create<byte>(state));
        }
    }

    /// <summary>Gives a handler its state.</summary>
    /// <returns>Why not; null when it has it.</returns>
    /// <exception cref="KvmException">The state was taken, and KVM refused what follows from it.</exception>
    public string? Restore(HandlerState state)
    {
        if (HandlerTable.Find(state.Handler) is not { } kind) return $"no handler {state.Handler} here";
        try
        {
            Obtain(kind).Restore(state.Version, state.State.Span);
            return null;
        }
        catch (HandlerStateException e)
        {
            return $"handler {state.Handler}, version {state.Version}: {e.Message}";
        }
    }

    /// <summary>The machine takes them over.</summary>
    public void Connect(VmmOptions options) => Each(handler => handler.Connect(options));

    /// <summary>See <see cref="IVmHandler.Freeze"/>.</summary>
    public void Freeze() => Each(handler => handler.Freeze());

    /// <summary>See <see cref="IVmHandler.Thaw"/>.</summary>
    public void Thaw() => Each(handler => handler.Thaw());

    private void Each(Action<IVmHandler> act)
    {
        foreach (var entry in _entries) act(entry.Handler);
    }

    private IVmHandler Obtain(HandlerKind kind)
    {
        if (_entries.FirstOrDefault(e => e.Handler.Name == kind.Name) is { } found) return found.Handler;
        var handler = create(kind);
        _entries.Add(new Entry(handler, handler.Capture()));
        return handler;
    }

    private sealed record Entry(IVmHandler Handler, byte[] Reset)
    {
        public int Place => HandlerTable.All.TakeWhile(kind => kind.Name != Handler.Name).Count();
    }
}
