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
    private readonly VcpuThreads<VcpuRunner> _threads;
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
        _threads = new VcpuThreads<VcpuRunner>(throttle => machine.Vcpus.Values.Select(vcpu => new VcpuRunner(vcpu, _exits, throttle)));
        machine.Handlers.Kick = _threads.Kick;
        _log = new KvmDirtyLog(machine, Environment.SystemPageSize);
        _sample = Capture();
    }

    /// <inheritdoc/>
    public IReadOnlyList<GuestMemory> Memory { get; }

    /// <inheritdoc/>
    public bool IsRunning => _threads.IsRunning;

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
        try
        {
            Throttle(0);
        }
        finally
        {
            _log.Switch(on: false);
        }
    }

    /// <inheritdoc/>
    public void CollectDirty(int slot, Span<ulong> bitmap) => _log.Collect(slot, bitmap);

    /// <inheritdoc/>
    public void Throttle(int percent)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(percent);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(percent, 99);
        _threads.Throttle(percent);
    }

    /// <inheritdoc/>
    /// <exception cref="KvmException">A vCPU failed, or KVM does not save its tables.</exception>
    public void Quiesce()
    {
        _threads.Halt();
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
        _threads.Start();
    }

    /// <inheritdoc/>
    /// <remarks>
    /// This VMM has the events 0, 0x40000000 and, of critical priority, 0x40000001; a machine without SDEI has none. Where it stands still, the event
    /// waits, in its state too: it comes when the machine runs, here or elsewhere. Not between a capture and what follows it, which would not have it.
    /// </remarks>
    public bool TryInject(int vcpu, uint number) => _machine.Handlers.Calls.OfType<Sdei>().Any(sdei => sdei.TryInject(vcpu, number));

    /// <summary>Stops and frees it.</summary>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        try
        {
            _threads.Halt();
        }
        catch (MigrateException)
        {
            // A vCPU that failed was told when it did. One that cannot be ended still uses what would be freed.
            if (IsRunning) return;
        }
        _machine.Handlers.Freeze();
        _machine.Dispose();
    }

    private VcpuState Sampled(VcpuState before)
    {
        VcpuState? now = null;
        var runner = _threads[before.Index];
        return runner.Between(vcpu => now = KvmCapture.Registers(vcpu)) && now is not null ? now with { MpState = before.MpState, Events = before.Events } : before;
    }
}
