using Migrate.Kvm.State;
using Migrate.Kvm.Vmm.Calls;
using Migrate.Model;
using Migrate.Model.Errors;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Ports;

namespace Migrate.Kvm.Vmm;

/// <summary>What a VMM is given besides the VM.</summary>
public sealed record VmmOptions
{
    /// <summary>The boot of this host; goes into captures.</summary>
    public BootIdentity? Boot { get; init; }

    /// <summary>CNTFRQ_EL0 of this host in Hz; 0 where unknown.</summary>
    public ulong CounterFrequency { get; init; }

    /// <summary>What the guest writes to its console, a byte at a time, on a vCPU's thread.</summary>
    public Action<byte> Console { get; init; } = _ => { };

    /// <summary>What is typed for the guest; null for nobody who types.</summary>
    public ConsoleInput? Input { get; init; }

    /// <summary>The guest ended by itself, or a vCPU failed: one line, on a vCPU's thread.</summary>
    public Action<string> Ended { get; init; } = _ => { };
}

/// <summary>A VM of this process that runs and can be moved: memory on sealed memfds, vCPUs on threads of their own, a console.</summary>
public sealed class LiveMachine : IMachine, IEventTarget, IDisposable
{
    private readonly KvmMachine _machine;
    private readonly VmmOptions _options;
    private readonly KvmDirtyLog _log;
    private readonly GuestExits _exits;
    private readonly Lock _running = new();
    private VcpuRunner[] _runners = [];
    private VcpuThrottle? _throttle;
    private int _percent;
    private MachineState _sample;
    private bool _disposed;

    /// <summary>Takes over a VM that was built and does not run yet; <see cref="Resume"/> starts it.</summary>
    /// <exception cref="KvmException">KVM does not give its state.</exception>
    /// <exception cref="MigrateException"><see cref="ErrorCode.WrongState"/>: its memory is no memfd.</exception>
    public LiveMachine(KvmMachine machine, VmmOptions options)
    {
        _machine = machine;
        _options = options;
        Memory = [.. machine.Slots.Select(s => new GuestMemory(s.Slot, s.File ?? throw new MigrateException(ErrorCode.WrongState, $"slot {s.Slot.Slot} is on no memfd")))];
        machine.Handlers.Promise(machine.Handlers.Promised);
        machine.Handlers.Connect(options);
        _exits = new GuestExits(machine.Handlers.Mmio, new ForwardedCalls(machine), options.Ended);
        machine.Handlers.Kick = Kick;
        _log = new KvmDirtyLog(machine, Environment.SystemPageSize);
        _sample = Capture();
    }

    /// <inheritdoc/>
    public IReadOnlyList<GuestMemory> Memory { get; }

    /// <inheritdoc/>
    public bool IsRunning => _runners.Length > 0;

    /// <inheritdoc/>
    /// <remarks>What <see cref="GuestExits.Counters"/> says.</remarks>
    public IReadOnlyList<KeyValuePair<string, ulong>> Counters => _exits.Counters;

    /// <inheritdoc/>
    /// <remarks>
    /// While it runs, each vCPU's registers are read on its own thread between two of its instructions, and interrupt controller and timer attributes
    /// are those of the last stop: KVM does not let them be read beside a running vCPU (EBUSY). Handlers are asked as they are.
    /// </remarks>
    public MachineReport Describe()
    {
        if (!IsRunning) _sample = Capture();
        else _sample = _sample with { Vcpus = _sample.Vcpus.Select(Sampled).ToEquatableArray(), Handlers = _machine.Handlers.Capture().ToEquatableArray() };
        return new MachineReport { State = _sample, Undescribable = _machine.Undescribable.ToEquatableArray(), PageSize = Environment.SystemPageSize };
    }

    /// <inheritdoc/>
    public void StartDirtyLog() => _log.Switch(on: true);

    /// <inheritdoc/>
    public void StopDirtyLog()
    {
        Throttle(0);
        _log.Switch(on: false);
    }

    /// <inheritdoc/>
    public void CollectDirty(int slot, Span<ulong> bitmap) => _log.Collect(slot, bitmap);

    /// <inheritdoc/>
    public void Throttle(int percent)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(percent);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(percent, 99);
        if (percent == _percent) return;
        _percent = percent;
        if (!IsRunning) return;
        // The threads take their throttle with them from the start.
        Halt();
        Start();
    }

    /// <inheritdoc/>
    /// <exception cref="KvmException">A vCPU failed, or KVM does not save its tables.</exception>
    public void Quiesce()
    {
        Halt();
        _machine.Handlers.Freeze();
        KvmCapture.SaveTables(_machine);
    }

    /// <inheritdoc/>
    /// <exception cref="MigrateException"><see cref="ErrorCode.WrongState"/>: the machine runs.</exception>
    public MachineState Capture() => IsRunning
        ? throw new MigrateException(ErrorCode.WrongState, "the machine runs; quiesce it before the capture")
        : KvmCapture.Capture(_machine, _options.Boot, _options.CounterFrequency);

    /// <inheritdoc/>
    public void Resume()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (IsRunning) return;
        _machine.Handlers.Thaw();
        Start();
    }

    /// <inheritdoc/>
    /// <remarks>This VMM has the events 0, 0x40000000 and, of critical priority, 0x40000001; a machine without SDEI has none.</remarks>
    /// <exception cref="MigrateException"><see cref="ErrorCode.WrongState"/>: the machine does not run.</exception>
    public bool TryInject(int vcpu, uint number)
    {
        if (!IsRunning) throw new MigrateException(ErrorCode.WrongState, "the machine does not run");
        return _machine.Handlers.Calls.OfType<Sdei>().Any(sdei => sdei.TryInject(vcpu, number));
    }

    /// <summary>Stops and frees it.</summary>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        try
        {
            Halt();
        }
        catch (KvmException)
        {
            // A vCPU that failed was told when it did.
        }
        _machine.Handlers.Freeze();
        _machine.Dispose();
    }

    private VcpuState Sampled(VcpuState before)
    {
        VcpuState? now = null;
        var runner = _runners[before.Index];
        return runner.Between(vcpu => now = KvmCapture.Registers(vcpu)) && now is not null ? now with { MpState = before.MpState, Events = before.Events } : before;
    }

    private void Start()
    {
        if (_percent > 0) _throttle = new VcpuThrottle(_percent, KickAll);
        lock (_running) _runners = [.. _machine.Vcpus.Values.Select(vcpu => new VcpuRunner(vcpu, _exits, _throttle))];
    }

    private void Halt()
    {
        // First: a vCPU that is kept out waits for the door, and would never see that it is to stop.
        _throttle?.Dispose();
        _throttle = null;
        VcpuRunner[] runners;
        lock (_running) (runners, _runners) = (_runners, []);
        Exception? failure = null;
        foreach (var runner in runners) runner.BeginStop();
        foreach (var runner in runners)
        {
            try
            {
                runner.Stop();
            }
            catch (KvmException e)
            {
                failure ??= e;
            }
        }
        if (failure is not null) throw failure;
    }

    /// <summary>Nobody's where the machine does not run: then the vCPU sees what there is when it starts.</summary>
    private void Kick(int vcpu)
    {
        lock (_running)
            if (vcpu < _runners.Length) _runners[vcpu].Kick();
    }

    private void KickAll()
    {
        lock (_running)
            foreach (var runner in _runners) runner.Kick();
    }
}
