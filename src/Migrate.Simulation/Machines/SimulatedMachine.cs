using System.Diagnostics;
using Migrate.Model;
using Migrate.Model.Errors;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Ports;
using Migrate.Simulation.Hosts;
using Migrate.Simulation.Program;

namespace Migrate.Simulation.Machines;

/// <summary>A machine whose vCPUs are threads that really write guest memory. Its registers are those of a host profile.</summary>
/// <remarks>Everything that the program is lies in registers and guest memory, so the end of a run tells whether a move lost anything.</remarks>
public sealed class SimulatedMachine : IMachine, IDisposable
{
    private readonly SimulatedTarget _vm;
    private readonly GuestRam _ram;
    private readonly VmDescription _description;
    private readonly EquatableArray<string> _undescribable;
    private readonly RunGate _gate = new();
    private readonly VirtualCpu[] _vcpus;
    private bool _started;
    private bool _logging;
    private bool _disposed;

    internal SimulatedMachine(SimulatedTarget vm, GuestRam ram, VmDescription description, EquatableArray<string> undescribable)
    {
        _vm = vm;
        _ram = ram;
        _description = description;
        _undescribable = undescribable;
        _vcpus = new VirtualCpu[description.VcpuCount];
        for (var i = 0; i < _vcpus.Length; i++)
        {
            var vcpu = i;
            var state = ProgramRegisters.Load(id => vm.Read([new RegisterAddress(vcpu, id)])[0].Value);
            _vcpus[i] = new VirtualCpu(i, state, vm.PowerOf(i) == MpState.Runnable, ram, _gate);
        }
    }

    /// <summary>A fresh machine, stopped; <see cref="Resume"/> starts it.</summary>
    /// <exception cref="MigrateException">The options are out of range, or the host does not create such a VM.</exception>
    public static SimulatedMachine Create(HostProfile host, MachineOptions options) => FreshMachine.Create(host, options);

    /// <inheritdoc/>
    public IReadOnlyList<GuestMemory> Memory => _ram.Memory;

    /// <inheritdoc/>
    public bool IsRunning => _gate.IsOpen;

    /// <summary>Runs without the program's own pace; for a reference run. Set it while the machine is stopped.</summary>
    public bool FullSpeed
    {
        get;
        set
        {
            field = value;
            foreach (var vcpu in _vcpus) vcpu.FullSpeed = value;
        }
    }

    /// <summary>Whether every vCPU that is powered on has done all its steps.</summary>
    public bool IsHalted => Array.TrueForAll(_vcpus, v => v.IsFinished || v.IsOff);

    /// <inheritdoc/>
    /// <remarks>steps, pages-written (by this object), console-exits, finished-vcpus, halted (0 or 1), faults (vCPUs whose registers point outside guest memory).</remarks>
    public IReadOnlyList<KeyValuePair<string, ulong>> Counters
    {
        get
        {
            ulong steps = 0, pages = 0, exits = 0, finished = 0, faults = 0;
            foreach (var vcpu in _vcpus)
            {
                var done = vcpu.Sample.Steps;
                steps += done;
                exits += done / GuestProgram.ConsoleEvery;
                pages += vcpu.PagesWritten;
                if (vcpu.IsFinished) finished++;
                if (vcpu.IsFaulted) faults++;
            }
            return
            [
                new("steps", steps), new("pages-written", pages), new("console-exits", exits), new("finished-vcpus", finished),
                new("halted", IsHalted ? 1UL : 0), new("faults", faults),
            ];
        }
    }

    /// <inheritdoc/>
    public MachineReport Describe() => new() { State = State(), Undescribable = _undescribable, PageSize = _ram.PageSize };

    /// <inheritdoc/>
    public void StartDirtyLog()
    {
        // Writers mark at all times: one that is between its write and its mark now leaves a page too many, never one too few.
        foreach (var slot in _ram.Slots)
        {
            slot.Vcpus.Clear();
            slot.Vmm.Clear();
        }
        _logging = true;
    }

    /// <inheritdoc/>
    public void StopDirtyLog()
    {
        _logging = false;
        Throttle(0);
    }

    /// <inheritdoc/>
    /// <exception cref="MigrateException"><see cref="ErrorCode.WrongState"/>: the log is not on.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such slot, or the bitmap has fewer bits than the slot has pages.</exception>
    public void CollectDirty(int slot, Span<ulong> bitmap)
    {
        if (!_logging) throw new MigrateException(ErrorCode.WrongState, "the dirty log is not on");
        for (var i = 0; i < _ram.Slots.Count; i++)
        {
            var candidate = _ram.Slots[i];
            if (candidate.Region.Slot != slot) continue;
            if (bitmap.Length < candidate.Vcpus.Words)
                throw new ArgumentOutOfRangeException(nameof(bitmap), bitmap.Length, $"slot {slot} needs {candidate.Vcpus.Words} words");
            candidate.Vcpus.CollectInto(bitmap);
            candidate.Vmm.CollectInto(bitmap);
            return;
        }
        throw new ArgumentOutOfRangeException(nameof(slot), slot, "there is no such slot");
    }

    /// <inheritdoc/>
    public void Throttle(int percent)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(percent);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(percent, 99);
        foreach (var vcpu in _vcpus) vcpu.Throttle = percent;
    }

    /// <inheritdoc/>
    public void Quiesce() => _gate.CloseAndWait();

    /// <inheritdoc/>
    /// <exception cref="MigrateException"><see cref="ErrorCode.WrongState"/>: the machine runs.</exception>
    public MachineState Capture() =>
        IsRunning ? throw new MigrateException(ErrorCode.WrongState, "the machine runs; quiesce it before the capture") : State();

    /// <inheritdoc/>
    /// <exception cref="MigrateException"><see cref="ErrorCode.StepFailed"/>: the host refuses to run a vCPU.</exception>
    public void Resume()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (!_started)
        {
            for (var i = 0; i < _vcpus.Length; i++)
                if (_vm.Run(i) is { Succeeded: false } refusal)
                    throw new MigrateException(ErrorCode.StepFailed, $"vCPU {i} does not run: errno {refusal.Errno}, {refusal.Note}");
            _started = true;
            foreach (var vcpu in _vcpus) vcpu.Start();
        }
        _gate.Open();
    }

    /// <summary>Waits until every vCPU has halted; false when the time is up first.</summary>
    public bool WaitUntilHalted(TimeSpan timeout)
    {
        var start = Stopwatch.GetTimestamp();
        return _gate.WaitUntil(() => IsHalted, () => timeout - Stopwatch.GetElapsedTime(start));
    }

    /// <summary>Ends the vCPU threads and gives the memory back.</summary>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        _gate.End();
        if (_started)
            foreach (var vcpu in _vcpus) vcpu.Join();
        _ram.Dispose();
    }

    private MachineState State() => new()
    {
        Vm = _description,
        Vcpus = _vcpus.Select((_, i) => Vcpu(i)).ToEquatableArray(),
        CapturedOn = _vm.Profile.Boot,
        Devices = _vm.Devices,
        Handlers = _vm.Handlers,
        CounterFrequency = _vm.Profile.CounterFrequency,
    };

    private VcpuState Vcpu(int index)
    {
        var kept = _vm.Capture(index);
        var live = new List<Register>();
        foreach (var (id, value) in ProgramRegisters.Store(_vcpus[index].Sample))
            if (kept.Registers.Contains(id)) live.Add(new Register(id, value));
        return kept with { Registers = kept.Registers.With(live.ToArray()) };
    }
}
