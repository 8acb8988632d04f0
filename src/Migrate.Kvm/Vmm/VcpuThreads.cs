using System.Runtime.ExceptionServices;

namespace Migrate.Kvm.Vmm;

/// <summary>The thread of one vCPU, as whoever starts and stops all of them sees it.</summary>
internal interface IVcpuThread
{
    /// <summary>Whether it is over: then another one may run the vCPU.</summary>
    bool HasEnded { get; }

    /// <summary>Takes the vCPU out of the guest, if it is there, and lets it go on at once.</summary>
    void Kick();

    /// <summary>Tells it to end, without waiting.</summary>
    void BeginStop();

    /// <summary>Tells it to end, and waits for that.</summary>
    void Stop();
}

/// <summary>The threads of a machine's vCPUs: started, stopped, kicked and throttled together. Started, stopped and throttled from one thread at a time, kicked from any.</summary>
/// <param name="start">Starts one thread a vCPU, by number; their throttle, or null, is theirs until they end.</param>
internal sealed class VcpuThreads<T>(Func<VcpuThrottle?, IEnumerable<T>> start)
    where T : IVcpuThread
{
    private readonly Lock _lock = new();
    private T[] _threads = [];
    private VcpuThrottle? _throttle;
    private int _percent;

    /// <summary>Whether a vCPU may still be in the guest: until every thread has ended.</summary>
    public bool IsRunning => _threads.Length > 0;

    /// <summary>The thread of a vCPU of a machine that runs.</summary>
    public T this[int vcpu] => _threads[vcpu];

    /// <summary>Starts them; not while they run.</summary>
    public void Start()
    {
        if (_percent > 0) _throttle = new VcpuThrottle(_percent, KickAll);
        Exception? failure = null;
        // All of it under the lock: a vCPU that runs already may kick one that is still to come, and that kick must find it.
        lock (_lock)
        {
            var started = new List<T>();
            try
            {
                foreach (var thread in start(_throttle)) started.Add(thread);
            }
            catch (Exception e)
            {
                failure = e;
            }
            _threads = [.. started];
        }
        if (failure is null) return;
        // Those that were started must not be there when the next attempt starts others for their vCPUs.
        _ = End();
        ExceptionDispatchInfo.Throw(failure);
    }

    /// <summary>Stops them, every one, whatever becomes of the others; the first failure is thrown afterwards.</summary>
    /// <remarks>Where one could not be ended, the machine still runs: a second thread for its vCPU would be worse.</remarks>
    public void Halt()
    {
        if (End() is { } failure) ExceptionDispatchInfo.Throw(failure);
    }

    /// <summary>Keeps the vCPUs out of the guest for a share of the time, from now on and after every start.</summary>
    /// <remarks>If that fails, the guest goes on, at full speed.</remarks>
    /// <param name="percent">0 to 99.</param>
    public void Throttle(int percent)
    {
        if (percent == _percent) return;
        if (!IsRunning)
        {
            _percent = percent;
            return;
        }
        // The threads take their throttle with them from the start.
        var next = 0;
        try
        {
            Halt();
            next = percent;
        }
        finally
        {
            _percent = next;
            if (!IsRunning) Start();
        }
    }

    /// <summary>Kicks one vCPU. Nobody where the machine does not run: then the vCPU sees what there is when it starts.</summary>
    public void Kick(int vcpu)
    {
        lock (_lock)
            if (vcpu < _threads.Length) _threads[vcpu].Kick();
    }

    private void KickAll()
    {
        lock (_lock)
            foreach (var thread in _threads) thread.Kick();
    }

    private Exception? End()
    {
        // First: a vCPU that is kept out waits for the door, and would never see that it is to stop.
        _throttle?.Dispose();
        _throttle = null;
        // What fails here is tried again by the stop below.
        foreach (var thread in _threads) _ = Failure(thread.BeginStop);
        Exception? first = null;
        foreach (var thread in _threads)
        {
            var failure = Failure(thread.Stop);
            first ??= failure;
        }
        if (!Array.TrueForAll(_threads, thread => thread.HasEnded)) return first;
        lock (_lock) _threads = [];
        return first;
    }

    private static Exception? Failure(Action act)
    {
        try
        {
            act();
            return null;
        }
        catch (Exception e)
        {
            return e;
        }
    }
}
