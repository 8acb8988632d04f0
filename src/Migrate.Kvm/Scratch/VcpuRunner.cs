using System.Collections.Concurrent;
using Migrate.Kvm.Handles;
using Migrate.Kvm.Native;
using Migrate.Linux.Processes;
using Migrate.Model.Errors;

namespace Migrate.Kvm.Scratch;

/// <summary>Something that a scratch guest did that needs user space.</summary>
/// <param name="Vcpu">Which vCPU.</param>
/// <param name="Reason">MMIO, a forwarded hypercall, a system event.</param>
/// <param name="Address">Of an MMIO access; a hypercall's function id; a system event's type.</param>
/// <param name="Value">What the guest wrote; 0 for a read.</param>
public readonly record struct GuestEvent(int Vcpu, ExitReason Reason, ulong Address, ulong Value);

/// <summary>Runs one vCPU on a thread of its own until it is told to stop.</summary>
internal sealed class VcpuRunner
{
    private readonly KvmVcpu _vcpu;
    private readonly BlockingCollection<GuestEvent> _events;
    private readonly Thread _thread;
    private readonly ManualResetEventSlim _ready = new();
    private readonly Lock _end = new();
    private volatile bool _stopping;
    private ThreadKick? _kick;
    private Exception? _failure;

    public VcpuRunner(KvmVcpu vcpu, BlockingCollection<GuestEvent> events)
    {
        _vcpu = vcpu;
        _events = events;
        _thread = new Thread(Loop) { IsBackground = true, Name = $"scratch-vcpu-{vcpu.Index}" };
        _thread.Start();
        _ready.Wait();
    }

    /// <summary>Takes the vCPU out of the guest, completes the MMIO that it is in the middle of, and waits for the thread's end.</summary>
    /// <exception cref="MigrateException">The vCPU failed before.</exception>
    public void Stop()
    {
        _stopping = true;
        // First the flag, then the signal: whatever the thread is about to do, one of the two ends its KVM_RUN.
        _vcpu.Run.ImmediateExit = true;
        lock (_end) _kick?.Send();
        _thread.Join();
        _vcpu.Run.ImmediateExit = false;
        if (_failure is not null) throw new KvmException(ErrorCode.System, $"{_vcpu.Subject}: {_failure.Message}");
    }

    private void Loop()
    {
        try
        {
            _kick = ThreadKick.OfThisThread();
            KvmHandle.Check(_vcpu.TrySetSignalMask(_kick.MaskForCall), Ioctls.SetSignalMask, _vcpu.Subject);
            _ready.Set();
            while (!_stopping)
            {
                var errno = _vcpu.TryRun();
                if (errno == 0) Handle();
                // A signal of the runtime's, or a kick.
                else if (errno != KvmErrno.EINTR && errno != KvmErrno.EAGAIN) throw new KvmException(Ioctls.Run.Name, errno, _vcpu.Subject);
            }
            // An MMIO exit is complete only when KVM_RUN is entered again; with immediate_exit it goes no further (api.rst, KVM_EXIT_MMIO).
            _vcpu.Run.ImmediateExit = true;
            var last = _vcpu.TryRun();
            if (last != KvmErrno.EINTR) throw new KvmException(Ioctls.Run.Name, last, $"{_vcpu.Subject} with immediate_exit");
        }
        catch (Exception e)
        {
            _failure = e;
            _events.Add(new GuestEvent(_vcpu.Index, ExitReason.InternalError, 0, 0));
        }
        finally
        {
            lock (_end)
            {
                _kick?.Drain();
                _kick = null;
            }
            _ready.Set();
        }
    }

    private void Handle()
    {
        var run = _vcpu.Run;
        switch (run.ExitReason)
        {
            case ExitReason.Mmio:
                if (!run.MmioIsWrite) run.MmioData = 0;
                _events.Add(new GuestEvent(_vcpu.Index, ExitReason.Mmio, run.MmioAddress, run.MmioIsWrite ? run.MmioData : 0));
                break;
            case ExitReason.Hypercall:
                _events.Add(new GuestEvent(_vcpu.Index, ExitReason.Hypercall, run.HypercallNumber, 0));
                break;
            case ExitReason.SystemEvent:
                _events.Add(new GuestEvent(_vcpu.Index, ExitReason.SystemEvent, run.SystemEventType, 0));
                break;
            default:
                throw new KvmException(ErrorCode.System, $"{_vcpu.Subject}: the guest stopped with KVM_EXIT {(int)run.ExitReason} ({run.ExitReason})");
        }
    }
}
