using Migrate.Kvm.Handles;
using Migrate.Kvm.Native;
using Migrate.Linux.Processes;
using Migrate.Model.Errors;

namespace Migrate.Kvm.Vmm;

/// <summary>What is done about the exits of a vCPU, on its own thread.</summary>
internal interface IExitHandler
{
    /// <summary>KVM_RUN returned: <see cref="KvmVcpu.Run"/> says why.</summary>
    void Exit(KvmVcpu vcpu);

    /// <summary>The vCPU is about to enter the guest for the first time or after a kick: no MMIO of it is half done.</summary>
    void Enter(KvmVcpu vcpu)
    {
    }

    /// <summary>The vCPU runs no more, by an error.</summary>
    void Failed(KvmVcpu vcpu, Exception error);
}

/// <summary>Runs one vCPU on a thread of its own until it is told to stop.</summary>
/// <remarks>
/// Whoever wants the thread out of the guest sets what it is to see, then <see cref="KvmRun.ImmediateExit"/>, then sends the kick. The thread takes kick
/// and flag back before it looks. So whatever it is about to do, one of the three ends its KVM_RUN or it sees the wish, and no kick is lost.
/// </remarks>
internal sealed class VcpuRunner : IVcpuThread
{
    private readonly KvmVcpu _vcpu;
    private readonly IExitHandler _exits;
    private readonly VcpuThrottle? _throttle;
    private readonly Thread _thread;
    private readonly ManualResetEventSlim _ready = new();
    private readonly Lock _end = new();
    private volatile bool _stopping;
    private volatile Visit? _visit;
    private ThreadKick? _kick;
    private Exception? _failure;

    /// <summary>Starts the thread.</summary>
    /// <param name="vcpu">Outlives the runner.</param>
    /// <param name="exits">Called on the thread.</param>
    /// <param name="throttle">When to stay out of the guest for a while; null for never.</param>
    public VcpuRunner(KvmVcpu vcpu, IExitHandler exits, VcpuThrottle? throttle = null)
    {
        _vcpu = vcpu;
        _exits = exits;
        _throttle = throttle;
        _thread = new Thread(Loop) { IsBackground = true, Name = $"vcpu-{vcpu.Index}" };
        _thread.Start();
        _ready.Wait();
    }

    /// <inheritdoc/>
    public bool HasEnded => !_thread.IsAlive;

    /// <summary>Takes the vCPU out of the guest, completes the MMIO that it is in the middle of, and waits for the thread's end.</summary>
    /// <exception cref="KvmException">The vCPU failed before.</exception>
    public void Stop()
    {
        BeginStop();
        _thread.Join();
        _vcpu.Run.ImmediateExit = false;
        if (_failure is not null) throw new KvmException(ErrorCode.System, $"{_vcpu.Subject}: {_failure.Message}");
    }

    /// <summary>The same without waiting, so that several stop together.</summary>
    public void BeginStop()
    {
        _stopping = true;
        Kick();
    }

    /// <summary>Takes the vCPU out of the guest, if it is there, and lets it go on at once.</summary>
    public void Kick()
    {
        _vcpu.Run.ImmediateExit = true;
        lock (_end) _kick?.Send();
    }

    /// <summary>Does something with the vCPU on its thread between two instructions of the guest; the guest waits no longer than that.</summary>
    /// <returns>False when the thread ended before it came to it.</returns>
    public bool Between(Action<KvmVcpu> act)
    {
        var visit = new Visit(act);
        _visit = visit;
        Kick();
        while (!visit.Done.Wait(TimeSpan.FromMilliseconds(100)))
            if (!_thread.IsAlive) break;
        if (visit.Error is not null) throw new KvmException(ErrorCode.System, $"{_vcpu.Subject}: {visit.Error.Message}");
        return visit.Done.IsSet;
    }

    private void Loop()
    {
        try
        {
            _kick = ThreadKick.OfThisThread();
            KvmHandle.Check(_vcpu.TrySetSignalMask(_kick.MaskForCall), Ioctls.SetSignalMask, _vcpu.Subject);
            _ready.Set();
            _exits.Enter(_vcpu);
            while (!_stopping)
            {
                _throttle?.Wait();
                var errno = _vcpu.TryRun();
                // A signal of the runtime's, or a kick.
                if (errno == KvmErrno.EINTR) Interrupted(_kick);
                else if (errno == 0) _exits.Exit(_vcpu);
                else if (errno != KvmErrno.EAGAIN) throw new KvmException(Ioctls.Run.Name, errno, _vcpu.Subject);
            }
            // An MMIO exit is complete only when KVM_RUN is entered again; with immediate_exit it goes no further (api.rst, KVM_EXIT_MMIO).
            _vcpu.Run.ImmediateExit = true;
            var last = _vcpu.TryRun();
            if (last != KvmErrno.EINTR) throw new KvmException(Ioctls.Run.Name, last, $"{_vcpu.Subject} with immediate_exit");
        }
        catch (Exception e)
        {
            _failure = e;
            _exits.Failed(_vcpu, e);
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

    private void Interrupted(ThreadKick kick)
    {
        kick.Drain();
        _vcpu.Run.ImmediateExit = false;
        if (_visit is { } visit)
        {
            _visit = null;
            visit.Do(_vcpu);
        }
        _exits.Enter(_vcpu);
    }

    private sealed class Visit(Action<KvmVcpu> act)
    {
        public ManualResetEventSlim Done { get; } = new();

        public Exception? Error { get; private set; }

        public void Do(KvmVcpu vcpu)
        {
            try
            {
                act(vcpu);
            }
            catch (KvmException e)
            {
                Error = e;
            }
            Done.Set();
        }
    }
}
