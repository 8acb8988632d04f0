namespace Migrate.Kvm.Vmm;

/// <summary>Keeps vCPUs out of the guest for a share of the time, so that a move converges.</summary>
internal sealed class VcpuThrottle : IDisposable
{
    /// <summary>Long enough that a hundredth of it is a time in which a thread wakes and enters the guest.</summary>
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(100);

    private readonly object _door = new();
    private readonly ManualResetEventSlim _ended = new();
    private readonly Action _kickAll;
    private readonly Thread _thread;
    private bool _isOpen = true;
    private long _openings;

    /// <summary>Begins at once.</summary>
    /// <param name="percent">Share of the time outside, 1 to 99.</param>
    /// <param name="kickAll">Takes every vCPU out of the guest.</param>
    public VcpuThrottle(int percent, Action kickAll)
    {
        _kickAll = kickAll;
        _thread = new Thread(() => Loop(Period * percent / 100)) { IsBackground = true, Name = "vcpu-throttle" };
        _thread.Start();
    }

    /// <summary>Whether the guest may be entered now.</summary>
    public bool IsOpen
    {
        get
        {
            lock (_door) return _isOpen;
        }
    }

    /// <summary>Returns when the guest may be entered: whoever waited for an opening is let in even if he wakes when it is over.</summary>
    public void Wait()
    {
        lock (_door)
        {
            var seen = _openings;
            while (!_isOpen && _openings == seen) Monitor.Wait(_door);
        }
    }

    /// <summary>Lets everybody in, for good. Before vCPUs are stopped: one that waits here sees no stop.</summary>
    public void Dispose()
    {
        _ended.Set();
        _thread.Join();
    }

    private void Loop(TimeSpan outside)
    {
        while (!_ended.Wait(Period - outside))
        {
            lock (_door) _isOpen = false;
            Kick();
            _ended.Wait(outside);
            lock (_door)
            {
                _isOpen = true;
                _openings++;
                Monitor.PulseAll(_door);
            }
        }
    }

    private void Kick()
    {
        try
        {
            _kickAll();
        }
        catch (Exception)
        {
            // A vCPU that was not kicked stays in the guest for this time. An exception on this thread would be the VM's end.
        }
    }
}
