using Migrate.Linux.Memory;
using Migrate.Model;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Ports;

namespace Migrate.Tests.Transfer.Conformance;

/// <summary>A machine that passes everything on; a mutant does one thing otherwise.</summary>
internal class PassingMachine(IMachine inner) : IMachine, IDisposable
{
    protected bool IsLogging { get; private set; }

    public virtual IReadOnlyList<GuestMemory> Memory => inner.Memory;

    public bool IsRunning => inner.IsRunning;

    public virtual IReadOnlyList<KeyValuePair<string, ulong>> Counters => inner.Counters;

    public MachineReport Describe() => inner.Describe();

    public virtual void StartDirtyLog()
    {
        IsLogging = true;
        inner.StartDirtyLog();
    }

    public virtual void StopDirtyLog()
    {
        IsLogging = false;
        inner.StopDirtyLog();
    }

    public virtual void CollectDirty(int slot, Span<ulong> bitmap) => inner.CollectDirty(slot, bitmap);

    public void Throttle(int percent) => inner.Throttle(percent);

    public virtual void Quiesce() => inner.Quiesce();

    public virtual MachineState Capture() => inner.Capture();

    public virtual void Resume() => inner.Resume();

    public virtual void Dispose() => (inner as IDisposable)?.Dispose();

    /// <summary>Changes a byte of the second page, and marks nothing.</summary>
    protected void Write()
    {
        using var mapping = ((MemFd)inner.Memory[0].Handle).Map(MappingAccess.ReadWrite);
        mapping.Slice(4096, 1)[0]++;
    }
}

/// <summary>Loses every second mark of its harvests.</summary>
/// <param name="inner">The machine.</param>
/// <param name="running">Of those while it runs, or of those after the stop.</param>
internal sealed class LosesMarks(IMachine inner, bool running) : PassingMachine(inner)
{
    private const ulong EverySecond = 0x5555_5555_5555_5555;

    public override void CollectDirty(int slot, Span<ulong> bitmap)
    {
        var added = new ulong[bitmap.Length];
        base.CollectDirty(slot, added);
        for (var i = 0; i < added.Length; i++) bitmap[i] |= IsRunning == running ? added[i] & EverySecond : added[i];
    }
}

/// <summary>Marks every page of a paused machine once.</summary>
internal sealed class StartsDirty(IMachine inner) : PassingMachine(inner)
{
    private int _slotsToMark;

    public override void StartDirtyLog()
    {
        base.StartDirtyLog();
        _slotsToMark = IsRunning ? 0 : Memory.Count;
    }

    public override void CollectDirty(int slot, Span<ulong> bitmap)
    {
        base.CollectDirty(slot, bitmap);
        if (_slotsToMark-- > 0) bitmap.Fill(ulong.MaxValue);
    }
}

/// <summary>Writes when it is looked at in a session in which it stands still.</summary>
/// <param name="inner">The machine.</param>
/// <param name="quiesced">Whether the session stopped it, or the operator had before.</param>
internal sealed class WritesLate(IMachine inner, bool quiesced) : PassingMachine(inner)
{
    private bool _armed;

    public override IReadOnlyList<KeyValuePair<string, ulong>> Counters
    {
        get
        {
            if (_armed && IsLogging && !IsRunning)
            {
                Write();
                _armed = false;
            }
            return base.Counters;
        }
    }

    public override void Quiesce()
    {
        base.Quiesce();
        _armed = IsLogging == quiesced;
    }

    public override void StopDirtyLog()
    {
        base.StopDirtyLog();
        _armed = false;
    }
}

/// <summary>Writes guest memory while it is captured.</summary>
internal sealed class CapturesLoudly(IMachine inner) : PassingMachine(inner)
{
    public override MachineState Capture()
    {
        Write();
        return base.Capture();
    }
}

/// <summary>Captures registers otherwise than they are.</summary>
/// <param name="inner">The machine.</param>
/// <param name="change">What becomes of the registers of a vCPU, given how often it was captured.</param>
internal sealed class CapturesOtherwise(IMachine inner, Func<RegisterSet, ulong, RegisterSet> change) : PassingMachine(inner)
{
    private ulong _captures;

    public override MachineState Capture()
    {
        var state = base.Capture();
        _captures++;
        return state with { Vcpus = state.Vcpus.Select(v => v with { Registers = change(v.Registers, _captures) }).ToEquatableArray() };
    }
}

/// <summary>Runs behind its server's back when the session of a paused machine ends.</summary>
internal sealed class RunsUnlogged(IMachine inner) : PassingMachine(inner)
{
    private bool _wasPaused;

    public override void StartDirtyLog()
    {
        base.StartDirtyLog();
        _wasPaused = !IsRunning;
    }

    public override void StopDirtyLog()
    {
        base.StopDirtyLog();
        if (_wasPaused) Resume();
    }
}

/// <summary>Stays stopped when its session lets it run on.</summary>
internal sealed class StaysQuiesced(IMachine inner) : PassingMachine(inner)
{
    public override void Resume()
    {
        if (!IsLogging) base.Resume();
    }
}

/// <summary>Shares a copy of its memory, made anew at each harvest only.</summary>
internal sealed class SharesCopy : PassingMachine
{
    private readonly List<GuestMemory> _copies = [];

    public SharesCopy(IMachine inner)
        : base(inner)
    {
        foreach (var (slot, _) in inner.Memory) _copies.Add(new GuestMemory(slot, MemFd.Create("copy", (long)slot.Size)));
    }

    public override IReadOnlyList<GuestMemory> Memory => _copies;

    public override void StartDirtyLog()
    {
        base.StartDirtyLog();
        for (var i = 0; i < _copies.Count; i++) Copy(i);
    }

    public override void CollectDirty(int slot, Span<ulong> bitmap)
    {
        base.CollectDirty(slot, bitmap);
        Copy(_copies.FindIndex(c => c.Slot.Slot == slot));
    }

    public override void Dispose()
    {
        base.Dispose();
        foreach (var (_, handle) in _copies) handle.Dispose();
    }

    private void Copy(int index)
    {
        using var from = ((MemFd)base.Memory[index].Handle).Map(MappingAccess.Read);
        using var to = ((MemFd)_copies[index].Handle).Map(MappingAccess.ReadWrite);
        from.View(0, (int)from.Length).CopyTo(to.Slice(0, (int)to.Length));
    }
}

/// <summary>Executes nothing behind a step that was refused.</summary>
internal sealed class GivesUp(IIncomingMachine inner) : IIncomingMachine
{
    private const int ECanceled = 125;

    public IReadOnlyList<GuestMemory> Memory => inner.Memory;

    public IReadOnlyList<StepAnswer> Execute(IReadOnlyList<RestoreStep> steps)
    {
        List<StepAnswer> answers = [];
        foreach (var step in steps) answers.Add(answers.TrueForAll(a => a.Succeeded) ? inner.Execute([step])[0] : new StepAnswer(ECanceled));
        return answers;
    }

    public IReadOnlyList<ReadAnswer> Read(IReadOnlyList<RegisterAddress> registers) => inner.Read(registers);

    public IMachine Complete(VmDescription description) => inner.Complete(description);

    public void Dispose() => inner.Dispose();
}
