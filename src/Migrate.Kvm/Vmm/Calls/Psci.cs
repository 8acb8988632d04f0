using Migrate.Model.Firmware;
using Migrate.Model.Machines;

namespace Migrate.Kvm.Vmm.Calls;

/// <summary>PSCI in user space: the power of the vCPUs and of the VM is the VMM's.</summary>
/// <remarks>
/// Source: Arm DEN 0022 (PSCI), chapter 5. A vCPU that is off waits in KVM_RUN with KVM_MP_STATE_STOPPED, as with PSCI in the kernel, so a capture shows
/// the same either way. What an ordered CPU_ON still needs is done on the vCPU's own thread; until then it is ON_PENDING, which moves with the VM.
/// </remarks>
internal sealed class Psci(ICallHost host, PsciVersion version, IEnumerable<int> on) : ICallHandler
{
    /// <summary>What descriptions and host profiles call it.</summary>
    public const string HandlerName = "psci";

    private const uint First = 0x8400_0000;
    private const uint Functions = 0x20;
    private const uint Wide = 1 << 30;

    /// <summary>The kernel answers it, and FEATURES is where a guest asks whether it does.</summary>
    private const uint SmcccVersion = 0x8000_0000;

    private const ulong AffinityMask = 0xff_00ff_ffff;

    private const ulong Success = 0;
    private const ulong InvalidParameters = unchecked((ulong)-2L);
    private const ulong AlreadyOn = unchecked((ulong)-4L);
    private const ulong OnPending = unchecked((ulong)-5L);
    private const ulong InternalFailure = unchecked((ulong)-6L);
    private const ulong InvalidAddress = unchecked((ulong)-9L);

    /// <summary>MIGRATE_INFO_TYPE: there is no trusted OS, or it needs no migration (5.10).</summary>
    private const ulong NoTrustedOs = 2;

    private readonly Lock _lock = new();
    private readonly Core[] _cores = [.. Enumerable.Range(0, host.Affinities.Count).Select(i => new Core(on.Contains(i) ? Power.On : Power.Off, 0, 0))];
    private PsciVersion _version = version;
    private Action<string> _ended = _ => { };
    private bool _isOver;

    private enum Function : uint
    {
        Version = First,
        CpuSuspend = First + 1,
        CpuOff = First + 2,
        CpuOn = First + 3,
        AffinityInfo = First + 4,
        MigrateInfoType = First + 6,
        SystemOff = First + 8,
        SystemReset = First + 9,
        Features = First + 0xa,
    }

    /// <summary>AFFINITY_INFO's numbers (5.7.2).</summary>
    private enum Power : byte
    {
        On = 0,
        Off = 1,
        OnPending = 2,
    }

    public string Name => HandlerName;

    public int Version => 1;

    /// <summary>Both widths, whole.</summary>
    public static IReadOnlyList<SmcccFilterRange> Ranges { get; } =
        [new(First, Functions, SmcccAction.ForwardToUser), new(First | Wide, Functions, SmcccAction.ForwardToUser)];

    public bool TryCall(ICallingVcpu vcpu, SmcccCall call)
    {
        if (!IsOffered(call.Function)) return false;
        switch ((Function)call.Narrow)
        {
            case Function.Version:
                vcpu[0] = _version.ToRegister();
                return true;
            case Function.CpuSuspend:
                // Allowed to return at any time, with an interrupt or without (5.4.1): the guest looks again.
                vcpu[0] = Success;
                return true;
            case Function.CpuOff:
                lock (_lock) _cores[vcpu.Index] = new Core(Power.Off, 0, 0);
                vcpu.MpState = MpState.Stopped;
                host.SwitchedOff(vcpu.Index);
                return true;
            case Function.CpuOn:
                vcpu[0] = SwitchOn(call.Argument(vcpu, 1), call.Argument(vcpu, 2), call.Argument(vcpu, 3));
                return true;
            case Function.AffinityInfo:
                vcpu[0] = AffinityInfo(call.Argument(vcpu, 1), (uint)call.Argument(vcpu, 2));
                return true;
            case Function.MigrateInfoType:
                vcpu[0] = NoTrustedOs;
                return true;
            case Function.SystemOff:
                End(vcpu, "the guest switched itself off");
                return true;
            case Function.SystemReset:
                End(vcpu, "the guest asked for a reset");
                return true;
            default:
                vcpu[0] = (uint)vcpu[1] == SmcccVersion || IsOffered((uint)vcpu[1]) ? Success : SmcccCall.NotSupported;
                return true;
        }
    }

    public void Enter(ICallingVcpu vcpu)
    {
        Core ordered;
        lock (_lock)
        {
            ordered = _cores[vcpu.Index];
            if (ordered.Power == Power.OnPending) _cores[vcpu.Index] = new Core(Power.On, 0, 0);
        }
        if (ordered.Power == Power.Off && vcpu.MpState != MpState.Stopped) vcpu.MpState = MpState.Stopped;
        if (ordered.Power != Power.OnPending) return;
        vcpu.Reset();
        vcpu.Pc = ordered.Entry;
        vcpu[0] = ordered.Context;
        vcpu.MpState = MpState.Runnable;
    }

    public void SwitchedOff(int vcpu)
    {
        // Only this handler switches off.
    }

    public byte[] Capture()
    {
        var bytes = new StateWriter();
        lock (_lock)
        {
            bytes.Add(_version.ToRegister()).Add((ulong)_cores.Length);
            foreach (var core in _cores) bytes.Add((ulong)core.Power).Add(core.Entry).Add(core.Context);
        }
        return bytes.ToArray();
    }

    public void Restore(int version, ReadOnlySpan<byte> state)
    {
        if (version != Version) throw new HandlerStateException($"this build knows version {Version}");
        var bytes = new StateReader(state);
        var saved = bytes.Next();
        var count = bytes.Next();
        if (count != (ulong)_cores.Length) throw new HandlerStateException($"state of {count} vCPUs, the VM has {_cores.Length}");
        var cores = new Core[_cores.Length];
        for (var i = 0; i < cores.Length; i++)
        {
            var power = bytes.Next();
            cores[i] = new Core((Power)power, bytes.Next(), bytes.Next());
            if (power > (ulong)Power.OnPending) throw new HandlerStateException($"vCPU {i} in power state {power}");
        }
        if (!bytes.IsComplete) throw new HandlerStateException(bytes.Problem);
        if (!PsciVersion.TryFromRegister(saved, out var said)) throw new HandlerStateException($"PSCI version 0x{saved:x}");
        lock (_lock)
        {
            _version = said;
            cores.CopyTo(_cores, 0);
        }
    }

    public void Connect(VmmOptions options) => _ended = options.Ended;

    public void Freeze()
    {
        // Only vCPUs change it.
    }

    public void Thaw()
    {
    }

    /// <summary>The VM is over: no vCPU executes another instruction (5.9.1, 5.11.1), as with PSCI in the kernel, which leaves the same in X0 (kvm_psci_0_2_call).</summary>
    private void End(ICallingVcpu vcpu, string how)
    {
        bool isFirst;
        lock (_lock)
        {
            Array.Fill(_cores, new Core(Power.Off, 0, 0));
            (isFirst, _isOver) = (!_isOver, true);
        }
        vcpu[0] = InternalFailure;
        vcpu.MpState = MpState.Stopped;
        for (var i = 0; i < _cores.Length; i++)
            if (i != vcpu.Index) host.Kick(i);
        if (isFirst) _ended(how);
    }

    private ulong SwitchOn(ulong target, ulong entry, ulong context)
    {
        var vcpu = Find(target);
        if (vcpu < 0) return InvalidParameters;
        if ((entry & 3) != 0) return _version.Major >= 1 ? InvalidAddress : InvalidParameters;
        lock (_lock)
        {
            // Ordered by a vCPU that has not been stopped yet.
            if (_isOver) return InternalFailure;
            if (_cores[vcpu].Power == Power.On) return AlreadyOn;
            if (_cores[vcpu].Power == Power.OnPending) return OnPending;
            _cores[vcpu] = new Core(Power.OnPending, entry, context);
        }
        host.Kick(vcpu);
        return Success;
    }

    /// <summary>Only level 0 is asked for since PSCI 1.0 (5.7.1); above it one vCPU that is on makes the whole on.</summary>
    private ulong AffinityInfo(ulong target, ulong level)
    {
        if (level > 3) return InvalidParameters;
        var ignored = level == 3 ? 0xff_ffffUL : (1UL << (int)(8 * level)) - 1;
        var found = false;
        lock (_lock)
        {
            var answer = Power.Off;
            for (var i = 0; i < _cores.Length; i++)
            {
                if (((host.Affinities[i] ^ target) & AffinityMask & ~ignored) != 0) continue;
                found = true;
                if (_cores[i].Power == Power.On) return (ulong)Power.On;
                if (_cores[i].Power == Power.OnPending) answer = Power.OnPending;
            }
            return found ? (ulong)answer : InvalidParameters;
        }
    }

    /// <summary>Only what takes an address or an affinity has a 64-bit form (5.2); FEATURES came with 1.0.</summary>
    private bool IsOffered(uint function) => (function & Wide) != 0
        ? (Function)(function & ~Wide) is Function.CpuSuspend or Function.CpuOn or Function.AffinityInfo
        : Enum.IsDefined((Function)function) && ((Function)function != Function.Features || _version.Major >= 1);

    private int Find(ulong target)
    {
        for (var i = 0; i < host.Affinities.Count; i++)
            if (((host.Affinities[i] ^ target) & AffinityMask) == 0 && (target & ~AffinityMask) == 0) return i;
        return -1;
    }

    private readonly record struct Core(Power Power, ulong Entry, ulong Context);
}
