using Migrate.Model.Machines;

namespace Migrate.Kvm.Vmm.Calls;

/// <summary>The Software Delegated Exception Interface with private events: an interruption of the guest that its interrupt masks do not hold back.</summary>
/// <remarks>Source: Arm DEN 0054 (SDEI) 1.1: calls in chapter 5, delivery in 4.3, the states of an event in 6.</remarks>
internal sealed class Sdei(ICallHost host) : ICallHandler
{
    /// <summary>What descriptions and host profiles call it.</summary>
    public const string HandlerName = "sdei";

    private const uint First = 0x8400_0020;
    private const uint Functions = 0x20;
    private const uint Wide = 1 << 30;

    /// <summary>1.0 in the upper half, the vendor's own number below (5.1.1).</summary>
    private const ulong Supported = 1UL << 48;

    private const ulong Success = 0;
    private const ulong InvalidParameters = unchecked((ulong)-2L);
    private const ulong Denied = unchecked((ulong)-3L);
    private const ulong Pending = unchecked((ulong)-5L);

    /// <summary>The one flag of EVENT_REGISTER in 1.0: one PE, not any. Of a private event both are its own PE, so it is ignored, and so is the PE that is named (5.1.2).</summary>
    private const ulong RoutingMode = 1;

    /// <summary>EL1 on its own stack pointer, everything masked (4.3.1).</summary>
    private const ulong HandlerPstate = 0x3c5;

    private readonly Lock _lock = new();
    private SdeiVcpu[] _vcpus = [.. host.Affinities.Select(_ => new SdeiVcpu())];

    private enum Function : uint
    {
        Version = First,
        EventRegister = First + 1,
        EventEnable = First + 2,
        EventDisable = First + 3,
        EventContext = First + 4,
        EventComplete = First + 5,
        EventCompleteAndResume = First + 6,
        EventUnregister = First + 7,
        EventStatus = First + 8,
        EventGetInfo = First + 9,
        PeMask = First + 0xb,
        PeUnmask = First + 0xc,
        EventSignal = First + 0xf,
        PrivateReset = First + 0x11,
        SharedReset = First + 0x12,
    }

    public string Name => HandlerName;

    public int Version => 1;

    /// <summary>Both widths, whole.</summary>
    public static IReadOnlyList<SmcccFilterRange> Ranges { get; } =
        [new(First, Functions, SmcccAction.ForwardToUser), new(First | Wide, Functions, SmcccAction.ForwardToUser)];

    /// <summary>Makes an event come to a vCPU; it is delivered as soon as its guest lets it.</summary>
    /// <returns>False where there is no such event or vCPU, or the guest has not registered it.</returns>
    public bool TryInject(int vcpu, uint number)
    {
        var index = SdeiEvents.IndexOf(number);
        lock (_lock)
        {
            if (index < 0 || vcpu < 0 || vcpu >= _vcpus.Length || !_vcpus[vcpu].Events[index].IsThere) return false;
            _vcpus[vcpu].Events[index].IsPending = true;
        }
        host.Kick(vcpu);
        return true;
    }

    public bool TryCall(ICallingVcpu vcpu, SmcccCall call)
    {
        if (!Enum.IsDefined((Function)call.Narrow)) return false;
        int target;
        lock (_lock)
        {
            target = Call(vcpu, (Function)call.Narrow, call);
            Deliver(vcpu);
        }
        if (target >= 0 && target != vcpu.Index) host.Kick(target);
        return true;
    }

    public void Enter(ICallingVcpu vcpu)
    {
        lock (_lock) Deliver(vcpu);
    }

    public void SwitchedOff(int vcpu)
    {
        lock (_lock)
        {
            // It begins as after a reset: masked, with nothing registered.
            _vcpus[vcpu] = new SdeiVcpu();
        }
    }

    public byte[] Capture()
    {
        var bytes = new StateWriter();
        lock (_lock)
        {
            bytes.Add((ulong)_vcpus.Length);
            foreach (var vcpu in _vcpus) vcpu.Write(bytes);
        }
        return bytes.ToArray();
    }

    public void Restore(int version, ReadOnlySpan<byte> state)
    {
        if (version != Version) throw new HandlerStateException($"this build knows version {Version}");
        var bytes = new StateReader(state);
        var count = bytes.Next();
        if (count != (ulong)_vcpus.Length) throw new HandlerStateException($"state of {count} vCPUs, the VM has {_vcpus.Length}");
        var vcpus = new SdeiVcpu[_vcpus.Length];
        for (var i = 0; i < vcpus.Length; i++)
        {
            if (SdeiVcpu.Read(ref bytes, out var problem) is not { } vcpu) throw new HandlerStateException($"vCPU {i}: {problem}");
            vcpus[i] = vcpu;
        }
        if (!bytes.IsComplete) throw new HandlerStateException(bytes.Problem);
        lock (_lock) _vcpus = vcpus;
    }

    public void Connect(VmmOptions options)
    {
        // Nothing of it reaches the outside.
    }

    public void Freeze()
    {
        // Only vCPUs change it, and who injects events, which the machine socket refuses once a session has stopped the machine.
    }

    public void Thaw()
    {
    }

    /// <summary>Does a call, its result in X0 where it has one; answers the vCPU that another one's call concerns, or a negative number.</summary>
    /// <remarks>Event numbers, indices and selectors are 32-bit parameters in both conventions: what lies above them in a register is nobody's.</remarks>
    private int Call(ICallingVcpu vcpu, Function function, SmcccCall call)
    {
        var own = _vcpus[vcpu.Index];
        var first = call.Argument(vcpu, 1);
        switch (function)
        {
            case Function.Version:
                vcpu[0] = Supported;
                break;
            case Function.EventContext:
                vcpu[0] = own.Running.Count == 0 ? Denied : (uint)first >= SdeiContext.Count ? InvalidParameters : own.Running[^1].Registers[(uint)first];
                break;
            case Function.EventComplete:
            case Function.EventCompleteAndResume:
                if (own.Running.Count == 0) vcpu[0] = Denied;
                else Complete(vcpu, own, function == Function.EventComplete ? null : first);
                break;
            case Function.PeMask:
                // 1 where this call masked it (5.1.13).
                vcpu[0] = own.IsMasked ? 0UL : 1;
                own.IsMasked = true;
                break;
            case Function.PeUnmask:
                own.IsMasked = false;
                vcpu[0] = Success;
                break;
            case Function.EventSignal:
                return Signal(vcpu, (uint)first, call.Argument(vcpu, 2));
            case Function.PrivateReset:
                vcpu[0] = Reset(own);
                break;
            case Function.SharedReset:
                vcpu[0] = Success;
                break;
            default:
                var index = SdeiEvents.IndexOf((uint)first);
                vcpu[0] = index < 0 ? InvalidParameters : OfEvent(vcpu, own, function, call, index);
                break;
        }
        return -1;
    }

    private static ulong OfEvent(ICallingVcpu vcpu, SdeiVcpu own, Function function, SmcccCall call, int index)
    {
        ref var it = ref own.Events[index];
        switch (function)
        {
            case Function.EventRegister:
                if ((call.Argument(vcpu, 4) & ~RoutingMode) != 0) return InvalidParameters;
                if (it.IsRegistered) return Denied;
                it = new SdeiEvent { IsRegistered = true, Entry = call.Argument(vcpu, 2), Argument = call.Argument(vcpu, 3) };
                return Success;
            case Function.EventEnable or Function.EventDisable:
                if (!it.IsThere) return Denied;
                it.IsEnabled = function == Function.EventEnable;
                return Success;
            case Function.EventUnregister:
                if (!it.IsRegistered) return Denied;
                if (!own.IsRunning(index))
                {
                    it = default;
                    return Success;
                }
                (it.IsEnabled, it.IsPending, it.IsLeaving) = (false, false, true);
                return Pending;
            case Function.EventStatus:
                return (it.IsThere ? 1UL : 0) | (it.IsEnabled ? 2UL : 0) | (own.IsRunning(index) ? 4UL : 0);
            default:
                return Info(SdeiEvents.All[index], (uint)call.Argument(vcpu, 2));
        }
    }

    /// <summary>SDEI_EVENT_GET_INFO (5.1.10): type, whether software may signal it, priority.</summary>
    private static ulong Info(uint number, uint what) => what switch
    {
        0 => 0,
        1 => number == SdeiEvents.Software ? 1UL : 0,
        2 => SdeiEvents.IsCritical(number) ? 1UL : 0,
        // Routing is for shared events.
        _ => InvalidParameters,
    };

    private int Signal(ICallingVcpu vcpu, uint number, ulong affinity)
    {
        var target = -1;
        for (var i = 0; i < host.Affinities.Count; i++)
            if (host.Affinities[i] == affinity) target = i;
        var isValid = number == SdeiEvents.Software && target >= 0;
        vcpu[0] = isValid ? Success : InvalidParameters;
        if (!isValid) return -1;
        ref var it = ref _vcpus[target].Events[SdeiEvents.IndexOf(number)];
        // Signalled where nobody registered it, it is lost (5.1.17).
        if (it.IsThere) it.IsPending = true;
        // What waits for the target's own call (enable, unmask, complete) is delivered by that call, and needs no kick.
        return _vcpus[target].NextToDeliver() >= 0 ? target : -1;
    }

    private static ulong Reset(SdeiVcpu own)
    {
        for (var i = 0; i < own.Events.Length; i++)
            if (!own.IsRunning(i)) own.Events[i] = default;
        return own.Running.Count == 0 ? Success : Denied;
    }

    private static void Complete(ICallingVcpu vcpu, SdeiVcpu own, ulong? resume)
    {
        var context = own.Running[^1];
        own.Running.RemoveAt(own.Running.Count - 1);
        for (var x = 0; x < SdeiContext.Count; x++) vcpu[x] = context.Registers[x];
        if (resume is { } address)
        {
            // As if the interrupted code had taken an exception to EL1 (5.1.7).
            (vcpu.ExceptionLink, vcpu.SavedPstate) = (context.Pc, context.Pstate);
            (vcpu.Pc, vcpu.Pstate) = (address, HandlerPstate);
        }
        else
        {
            // PSTATE last: where it is one of AArch32, that write is the only one that cuts, and what goes back there fits (as in a restore).
            (vcpu.Pc, vcpu.Pstate) = (context.Pc, context.Pstate);
        }
        if (own.Events[context.Event].IsLeaving) own.Events[context.Event] = default;
    }

    /// <summary>Enters the handler of an event that waits, if there is one that may come.</summary>
    private void Deliver(ICallingVcpu vcpu)
    {
        var own = _vcpus[vcpu.Index];
        var index = own.NextToDeliver();
        // A vCPU that PSCI in the kernel switched off keeps what comes for when it is on again.
        if (index < 0 || vcpu.MpState == MpState.Stopped) return;
        own.Events[index].IsPending = false;
        var saved = new ulong[SdeiContext.Count];
        for (var x = 0; x < saved.Length; x++) saved[x] = vcpu[x];
        var context = new SdeiContext(index, saved, vcpu.Pc, vcpu.Pstate);
        own.Running.Add(context);
        // First: as long as PSTATE is one of AArch32, KVM cuts registers and PC to 32 bits at every write (set_core_reg).
        vcpu.Pstate = HandlerPstate;
        vcpu.Pc = own.Events[index].Entry;
        (vcpu[0], vcpu[1], vcpu[2], vcpu[3]) = (SdeiEvents.All[index], own.Events[index].Argument, context.Pc, context.Pstate);
    }
}
