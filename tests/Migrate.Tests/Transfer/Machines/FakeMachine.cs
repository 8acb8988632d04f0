using Migrate.Linux.Memory;
using Migrate.Model.Errors;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Ports;
using Migrate.Model.Registers;

namespace Migrate.Tests.Transfer.Machines;

/// <summary>A machine that writes down what is asked of it. Its memory is real, its vCPU is the test.</summary>
internal sealed class FakeMachine : IMachine, IDisposable
{
    public const int PageSize = 4096;

    private readonly List<MemFd> _files = [];
    private readonly Dictionary<int, HashSet<int>> _dirty = [];

    public FakeMachine(VmDescription? description = null, bool running = true)
    {
        Description = description ?? Machines.Description();
        IsRunning = running;
        foreach (var slot in Description.Memory)
        {
            var file = MemFd.Create($"slot-{slot.Slot}", (long)slot.Size);
            _files.Add(file);
            Memory = [.. Memory, new GuestMemory(slot, file)];
            _dirty[slot.Slot] = [];
        }
    }

    public VmDescription Description { get; }

    public List<string> Calls { get; } = [];

    /// <summary>The call that fails, and with what.</summary>
    public (string Call, Exception Error)? Fault { get; set; }

    /// <summary>What a stop fails with once the vCPUs stand still.</summary>
    public Exception? HalfQuiesced { get; set; }

    /// <summary>Called in the middle of every call.</summary>
    public Action<string>? During { get; set; }

    public IReadOnlyList<string> Undescribable { get; set; } = [];

    public bool IsLogging { get; private set; }

    public int ThrottledTo { get; private set; }

    public bool IsDisposed { get; private set; }

    public IReadOnlyList<GuestMemory> Memory { get; set; } = [];

    public bool IsRunning { get; private set; }

    public IReadOnlyList<KeyValuePair<string, ulong>> Counters => [KeyValuePair.Create("calls", (ulong)Calls.Count)];

    public MachineReport Describe()
    {
        Call("describe");
        return new MachineReport { State = Machines.State(Description), PageSize = PageSize, Undescribable = [.. Undescribable] };
    }

    public void StartDirtyLog()
    {
        Call("start-log");
        IsLogging = true;
    }

    public void StopDirtyLog()
    {
        Call("stop-log");
        (IsLogging, ThrottledTo) = (false, 0);
    }

    /// <summary>A guest's write: the memory, then the mark.</summary>
    public void Write(int slot, int page, byte value)
    {
        using var mapping = _files[Memory.ToList().FindIndex(m => m.Slot.Slot == slot)].Map(MappingAccess.ReadWrite);
        mapping.Slice(page * (long)PageSize, PageSize).Fill(value);
        _dirty[slot].Add(page);
    }

    public void CollectDirty(int slot, Span<ulong> bitmap)
    {
        foreach (var page in _dirty[slot]) bitmap[page / 64] |= 1UL << page % 64;
        _dirty[slot].Clear();
        Call($"collect-{slot}");
    }

    public void Throttle(int percent)
    {
        Call("throttle");
        ThrottledTo = percent;
    }

    public void Quiesce()
    {
        Call("quiesce");
        IsRunning = false;
        if (HalfQuiesced is { } error) throw error;
    }

    public MachineState Capture()
    {
        Call("capture");
        return Machines.State(Description);
    }

    public void Resume()
    {
        Call("resume");
        IsRunning = true;
    }

    public void Dispose()
    {
        IsDisposed = true;
        foreach (var file in _files) file.Dispose();
    }

    private void Call(string name)
    {
        Calls.Add(name);
        During?.Invoke(name);
        if (Fault is { } fault && fault.Call == name) throw fault.Error;
    }
}

/// <summary>A machine that is being built.</summary>
internal sealed class FakeIncoming(VmDescription description) : IIncomingMachine
{
    private readonly List<FakeMachine> _machines = [];

    public List<RestoreStep> Steps { get; } = [];

    public List<int> Batches { get; } = [];

    public bool IsDisposed { get; private set; }

    public FakeMachine? Completed { get; private set; }

    public Exception? CompleteFault { get; set; }

    /// <summary>The call of the completed machine that fails.</summary>
    public (string Call, Exception Error)? MachineFault { get; set; }

    public IReadOnlyList<GuestMemory> Memory => _machines.Count == 0 ? [] : _machines[0].Memory;

    public IReadOnlyList<StepAnswer> Execute(IReadOnlyList<RestoreStep> steps)
    {
        Steps.AddRange(steps);
        Batches.Add(steps.Count);
        if (_machines.Count == 0 && steps.Any(s => s is MapMemory)) _machines.Add(new FakeMachine(description, running: false));
        return [.. steps.Select(s => s is WriteRegister { Value.Low: 22 } ? new StepAnswer(22, "no such\nvalue") : StepAnswer.Ok)];
    }

    public IReadOnlyList<ReadAnswer> Read(IReadOnlyList<RegisterAddress> registers) =>
        [.. registers.Select(r => r.Vcpu == 0 ? new ReadAnswer(0, new RegisterValue(r.Id.Index)) : new ReadAnswer(2, null))];

    public IMachine Complete(VmDescription description)
    {
        if (CompleteFault is { } fault) throw fault;
        Completed = _machines.Count > 0 ? _machines[0] : throw new MigrateException(ErrorCode.StepFailed, "it has no memory");
        Completed.Fault = MachineFault;
        return Completed;
    }

    public void Dispose()
    {
        IsDisposed = true;
        foreach (var machine in _machines) machine.Dispose();
    }
}

/// <summary>Small machines as data.</summary>
internal static class Machines
{
    public static VmDescription Description(int slots = 2) => new()
    {
        Name = "web1",
        Id = "0123456789abcdef0123456789abcdef",
        Type = new VmType(40),
        Features = VcpuFeatures.Psci02,
        VcpuCount = 1,
        Memory = [.. Enumerable.Range(0, slots).Select(i => new MemorySlot(i * 2, (ulong)i << 30, (ulong)(100 - i % 90) * FakeMachine.PageSize))],
    };

    public static MachineState State(VmDescription description) => new()
    {
        Vm = description,
        Vcpus = [new VcpuState { Index = 0, Registers = new RegisterSet([new Register(Id(1), new RegisterValue(5))]) }],
    };

    public static RegisterId Id(int index) => RegisterId.Of(RegisterClass.Firmware, (ushort)index, 8);

    public static IReadOnlyList<RestoreStep> PrepareSteps(VmDescription description) =>
        [new CreateVm(description.Type), .. description.Memory.Select(RestoreStep (m) => new MapMemory(m)), new CreateVcpu(0, description.Features)];

    public static RestoreStep Write(ulong value, StepPhase phase = StepPhase.Apply) =>
        new WriteRegister(0, Id(1), new RegisterValue(value), null, phase);

    /// <summary>A socket path for one test, in a directory of its own.</summary>
    public static string SocketPath() => Path.Combine(Directory.CreateTempSubdirectory("vmmigrate-").FullName, "m.sock");
}
