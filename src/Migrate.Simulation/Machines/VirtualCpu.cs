using Migrate.Simulation.Program;

namespace Migrate.Simulation.Machines;

/// <summary>One vCPU: a dedicated thread that runs the guest program in batches of steps and publishes its registers after each.</summary>
internal sealed class VirtualCpu
{
    private readonly int _index;
    private readonly GuestRam _ram;
    private readonly RunGate _gate;
    private readonly Lock _published = new();
    private readonly Thread _thread;
    private ProgramState _state;
    private ulong _pagesWritten;
    private int _phase;
    private int _throttle;
    private bool _fullSpeed;

    public VirtualCpu(int index, ProgramState state, bool isOn, GuestRam ram, RunGate gate)
    {
        _index = index;
        _state = state;
        _ram = ram;
        _gate = gate;
        _phase = (int)(isOn ? Phase.Running : Phase.Off);
        _thread = new Thread(Loop) { IsBackground = true, Name = $"vcpu{index}" };
    }

    private enum Phase
    {
        Running = 0,
        Finished = 1,
        Faulted = 2,
        Off = 3,
    }

    /// <summary>The program's registers at the last published step boundary; exactly where it stands once the gate is closed.</summary>
    public ProgramState Sample
    {
        get
        {
            lock (_published) return _state;
        }
    }

    /// <summary>Steps that wrote a page, since this object exists.</summary>
    public ulong PagesWritten => Volatile.Read(ref _pagesWritten);

    /// <summary>Whether the program has done all its steps.</summary>
    public bool IsFinished => (Phase)Volatile.Read(ref _phase) == Phase.Finished;

    /// <summary>Whether PSCI has powered it off: it stays off.</summary>
    public bool IsOff => (Phase)Volatile.Read(ref _phase) == Phase.Off;

    /// <summary>Whether the registers that the vCPU was started with point outside guest memory: it does nothing.</summary>
    public bool IsFaulted => (Phase)Volatile.Read(ref _phase) == Phase.Faulted;

    /// <summary>Percent of time to stand still.</summary>
    public int Throttle
    {
        set => Volatile.Write(ref _throttle, value);
    }

    /// <summary>Whether the program's own pace is ignored.</summary>
    public bool FullSpeed
    {
        set => Volatile.Write(ref _fullSpeed, value);
    }

    public void Start() => _thread.Start();

    public void Join() => _thread.Join();

    private void Loop()
    {
        var seen = 0;
        while (_gate.Enter(ref seen))
        {
            if (!IsOff) Volatile.Write(ref _phase, (int)Run());
            _gate.Leave();
        }
    }

    private Phase Run()
    {
        var state = Sample;
        if (!PartitionWindow.TryCreate(_ram, state, out var window) || !ConsolePort.TryCreate(_ram, state, _index, out var console))
            return Phase.Faulted;
        var pacer = new Pacer(Volatile.Read(ref _fullSpeed) ? 0 : state.Pace);
        while (state.Target == 0 || state.Steps < state.Target)
        {
            if (!_gate.IsOpen) return Phase.Running;
            var steps = state.Target == 0 ? pacer.Batch : Math.Min(pacer.Batch, state.Target - state.Steps);
            GuestProgram.Run(ref state, window, console, steps);
            lock (_published) _state = state;
            Volatile.Write(ref _pagesWritten, _pagesWritten + steps);
            pacer.After(steps, Volatile.Read(ref _throttle), _gate);
        }
        return Phase.Finished;
    }
}
