using System.Runtime.InteropServices;
using Migrate.Model;
using Migrate.Model.Encoding;
using Migrate.Model.Errors;
using Migrate.Model.Machines;
using Migrate.Model.Ports;
using Migrate.Transfer.Pages;
using Migrate.Transfer.Wire;

namespace Migrate.Transfer.Machines;

/// <summary>A connection's hold on a machine.</summary>
/// <param name="holder">The connection.</param>
/// <param name="description">For messages: <c>the source session of pid 4711</c>.</param>
internal sealed class MachineSession(object holder, string description)
{
    public object Holder => holder;

    public string Description => description;

    /// <summary>A source session's bitmap; null for an incoming one.</summary>
    public SharedBitmap? Bitmap { get; init; }

    public bool WasRunning { get; init; }

    /// <summary>Number of the last collection that succeeded.</summary>
    public long Epoch { get; set; }

    /// <summary>Whether the bitmap holds bits of a collection that failed half way.</summary>
    public bool HoldsRest { get; set; }
}

/// <summary>One served machine: every request as one method, judged by <see cref="Lifecycle"/> and run one at a time.</summary>
/// <remarks>A caller is told apart by the object that stands for its connection.</remarks>
internal sealed partial class HostedMachine : IDisposable
{
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _destroyed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Func<VmDescription, IIncomingMachine>? _build;
    private readonly Action<string>? _reached;
    private IIncomingMachine? _incoming;
    private IMachine? _machine;
    private VmDescription? _description;
    private volatile MachineSession? _session;
    private volatile MachineStatus _status;
    private object? _caller;
    private object? _destroyer;
    private bool _disposed;

    public HostedMachine(IMachine machine, Action<string>? reached)
    {
        _machine = machine;
        _reached = reached;
        _description = machine.Describe().State.Vm;
        _status = new MachineStatus
        {
            Name = _description.Name,
            VmId = _description.Id,
            Pid = Environment.ProcessId,
            State = machine.IsRunning ? LifecycleState.Running : LifecycleState.Paused,
        };
    }

    public HostedMachine(string name, Func<VmDescription, IIncomingMachine> build, Action<string>? reached)
    {
        _build = build;
        _reached = reached;
        _status = new MachineStatus { Name = name, Pid = Environment.ProcessId, State = LifecycleState.Incoming };
    }

    /// <summary>Completes when the machine was destroyed by a request and the request is answered.</summary>
    public Task Destroyed => _destroyed.Task;

    /// <summary>The status now; while a request runs, with the counters as they were before it.</summary>
    public MachineStatus Status()
    {
        if (!_gate.TryEnter(TimeSpan.FromMilliseconds(100))) return _status;
        try
        {
            if (_machine is not null) Update(_status with { Counters = Counters(_machine) });
            return _status;
        }
        finally
        {
            _gate.Exit();
        }
    }

    /// <summary>Whether a caller holds the session now; answered while a request runs, too.</summary>
    public bool IsHeldBy(object caller) => _session?.Holder == caller;

    public MachineReport Describe(object caller) => Do(caller, FrameKind.Describe, () => _machine!.Describe());

    public SessionOpened OpenSource(object caller, string who, out SafeHandle bitmap)
    {
        SharedBitmap? shared = null;
        var opened = Do(caller, FrameKind.OpenSource, () =>
        {
            var machine = _machine!;
            var report = machine.Describe();
            if (report.Undescribable.Count > 0)
                throw new MigrateException(ErrorCode.Refused, $"machine {_status.Name} cannot be moved: {string.Join(", ", report.Undescribable)} cannot be described");
            if (machine.Memory.Count > MappedMemory.MaxSlots)
                throw new MigrateException(ErrorCode.Refused, $"machine {_status.Name} cannot be moved: it has {machine.Memory.Count} memory slots, at most {MappedMemory.MaxSlots} are possible");
            shared = new SharedBitmap(machine.Memory, report.PageSize);
            try
            {
                machine.StartDirtyLog();
            }
            catch
            {
                shared.Dispose();
                throw;
            }
            var wasRunning = machine.IsRunning;
            Hold(new MachineSession(caller, $"the source session of {who}") { Bitmap = shared, WasRunning = wasRunning });
            return new SessionOpened(report.PageSize, machine.Memory.Count, wasRunning);
        });
        bitmap = shared!.File;
        return opened;
    }

    public SessionOpened OpenIncoming(object caller, string who) => Do(caller, FrameKind.OpenIncoming, () =>
    {
        Hold(new MachineSession(caller, $"the incoming session of {who}"));
        return new SessionOpened(0, 0, false);
    });

    public void CloseSession(object caller) => Do(caller, FrameKind.CloseSession, EndSession);

    /// <summary>The connection is gone.</summary>
    public void Lost(object caller)
    {
        lock (_gate)
            if (_session?.Holder == caller) EndSession();
    }

    public MemoryReply GetMemory(object caller, int first, out SafeHandle[] descriptors)
    {
        var (reply, handles) = Do(caller, FrameKind.GetMemory, () =>
        {
            var memory = _machine?.Memory ?? _incoming!.Memory;
            if (first < 0 || first > memory.Count)
                throw new MigrateException(ErrorCode.Protocol, $"machine {_status.Name} has {memory.Count} memory slots; slot index {first} was asked for");
            var part = memory.Skip(first).Take(FrameTable.Of(FrameKind.Memory).MaxDescriptors).ToArray();
            return (new MemoryReply(first, memory.Count, part.Select(m => m.Slot).ToEquatableArray()), part.Select(m => m.Handle).ToArray());
        });
        descriptors = handles;
        return reply;
    }

    public CollectReply Collect(object caller, long consumed) => Do(caller, FrameKind.Collect, () =>
    {
        var session = _session!;
        var bitmap = session.Bitmap!;
        if (consumed == session.Epoch && !session.HoldsRest)
            bitmap.Clear();
        else if (consumed < 0 || (consumed != session.Epoch && consumed != session.Epoch - 1))
            throw new MigrateException(ErrorCode.Protocol, $"collection {consumed} was named as consumed; the last was {session.Epoch}");
        // What a failure half way leaves in the bitmap is cleared in the log already, so it must survive there.
        session.HoldsRest = true;
        var memory = _machine!.Memory;
        for (var i = 0; i < memory.Count; i++) _machine.CollectDirty(memory[i].Slot.Slot, bitmap.Slot(i));
        session.HoldsRest = false;
        return new CollectReply(++session.Epoch, bitmap.Count());
    });

    public void Throttle(object caller, int percent) => Do(caller, FrameKind.Throttle, () =>
    {
        if (percent is < 0 or > 99) throw new MigrateException(ErrorCode.Protocol, $"a throttle of {percent} percent; 0 to 99 are possible");
        _machine!.Throttle(percent);
    });

    public void Quiesce(object caller) => Do(caller, FrameKind.Quiesce, Stop);

    public MachineState Capture(object caller) => Do(caller, FrameKind.Capture, () => _machine!.Capture());

    public void Unquiesce(object caller) => Do(caller, FrameKind.Unquiesce, () =>
    {
        if (_session!.WasRunning) _machine!.Resume();
    });

    public void Release(object caller, string handover) => Do(caller, FrameKind.Release, () =>
    {
        RequireId(handover);
        if (_status.State == LifecycleState.Released)
        {
            RequireSame(handover);
            return;
        }
        _machine!.StopDirtyLog();
        Update(_status with { HandoverId = handover });
    });

    public void Pause(object caller) => Do(caller, FrameKind.Pause, Stop);

    public void Resume(object caller) => Do(caller, FrameKind.Resume, () => _machine!.Resume());

    public void InjectEvent(object caller, GuestEvent wanted) => Do(caller, FrameKind.InjectEvent, () =>
    {
        if (_machine is not IEventTarget target)
            throw new MigrateException(ErrorCode.Unsupported, $"machine {_status.Name} sends its guest no events") { Remedy = "Events are SDEI's: the VMM must have its handler." };
        if (!target.TryInject(wanted.Vcpu, wanted.Number))
            throw new MigrateException(ErrorCode.NotFound, $"vCPU {wanted.Vcpu} of machine {_status.Name} has no handler for event 0x{wanted.Number:x}") { Remedy = "The guest registers it with SDEI_EVENT_REGISTER, on the vCPU that is to handle it." };
    });

    public void ResumeReleased(object caller, string handover) => Do(caller, FrameKind.ResumeReleased, () =>
    {
        RequireSame(handover);
        _machine!.Resume();
        DropSession();
    });

    public void Destroy(object caller, string handover) => Do(caller, FrameKind.Destroy, () =>
    {
        if (_status.State == LifecycleState.Released) RequireSame(handover);
        else if (handover.Length > 0)
            throw new MigrateException(ErrorCode.WrongState, $"machine {_status.Name} is {Lifecycle.Name(_status.State)}, not released; it is destroyed without a handover id only");
        DropSession();
        Discard();
    });

    /// <summary>A caller has the answer to its request, or cannot be answered: if the machine was destroyed by it, the process may end now, and not before.</summary>
    public void Answered(object caller)
    {
        lock (_gate)
            if (_destroyer == caller) _destroyed.TrySetResult();
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed) return;
            _disposed = true;
            if (_session is not null) EndSession();
            Discard();
        }
    }

    private void Do(object caller, FrameKind request, Action act) => Do(caller, request, () =>
    {
        act();
        return true;
    });

    private T Do<T>(object caller, FrameKind request, Func<T> act)
    {
        lock (_gate)
        {
            if (_disposed) throw new MigrateException(ErrorCode.WrongState, $"the process of machine {_status.Name} is ending");
            _caller = caller;
            var transition = Lifecycle.Judge(request, _status.State, _status.Name, _session?.Holder == caller, _session?.Description);
            var result = act();
            if (transition.To is { } to) MoveTo(to);
            return result;
        }
    }

    private void MoveTo(LifecycleState state)
    {
        if (_status.State == state) return;
        Update(_status with { State = state });
        if (state == LifecycleState.Destroyed) _destroyer = _caller;
        _reached?.Invoke(Lifecycle.Name(state));
    }

    private void Update(MachineStatus status) => _status = status;

    private void Hold(MachineSession session)
    {
        _session = session;
        Update(_status with { Session = session.Description, Note = "" });
    }

    private void DropSession()
    {
        _session?.Bitmap?.Dispose();
        _session = null;
        Update(_status with { Session = "" });
    }

    /// <summary>Stops a machine that may be stopped already.</summary>
    private void Stop()
    {
        if (!_machine!.IsRunning) return;
        try
        {
            _machine.Quiesce();
        }
        catch
        {
            // Nothing was done, says the answer; so a machine that stands still half way goes on.
            if (!_machine.IsRunning && !Try("resume after a stop that failed", _machine.Resume) && _session is null) MoveTo(LifecycleState.Paused);
            throw;
        }
    }

    /// <summary>Before release the machine goes on by itself; each act is tried, whatever becomes of the others.</summary>
    private void EndSession()
    {
        var next = Lifecycle.AfterLoss(_status.State, _session!.WasRunning);
        var wasRunning = _session.WasRunning;
        if (_status.State is LifecycleState.Logging or LifecycleState.Quiesced)
        {
            var machine = _machine!;
            Try("stop the dirty log after a session was lost", machine.StopDirtyLog);
            if (wasRunning && !machine.IsRunning && !Try("resume after a session was lost", machine.Resume)) next = LifecycleState.Paused;
        }
        else if (_status.State is LifecycleState.Prepared or LifecycleState.Applied)
        {
            Discard();
            // Else whoever asks would take the machine that was thrown away for one that is here.
            _description = null;
            Update(_status with { VmId = "" });
        }
        DropSession();
        MoveTo(next);
    }

    private bool Try(string what, Action act)
    {
        try
        {
            act();
            return true;
        }
        catch (Exception e)
        {
            Update(_status with { Note = Shapes.OneLine($"could not {what}: {e.Message}") });
            return false;
        }
    }

    private void Discard()
    {
        _incoming?.Dispose();
        _incoming = null;
        (_machine as IDisposable)?.Dispose();
        _machine = null;
        Update(_status with { Counters = [] });
    }

    private void RequireSame(string handover)
    {
        if (handover != _status.HandoverId)
            throw new MigrateException(ErrorCode.WrongState, $"machine {_status.Name} was released under another handover id") { Stage = Stage.Handover };
    }

    private static void RequireId(string handover)
    {
        if (handover.Length is 0 or > 64 || handover.AsSpan().ContainsAnyExcept(IdCharacters))
            throw new MigrateException(ErrorCode.Protocol, "a handover id is 1 to 64 letters, digits and hyphens");
    }

    private static readonly System.Buffers.SearchValues<char> IdCharacters =
        System.Buffers.SearchValues.Create("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-");

    private static EquatableArray<KeyValuePair<string, ulong>> Counters(IMachine machine) =>
        machine.Counters.Take(MachineMessages.MaxCounters).ToEquatableArray();
}
