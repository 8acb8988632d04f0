namespace Migrate.Kvm.Vmm;

/// <summary>Keeps vCPUs out of the guest for a share of the time, so that a move converges.</summary>
internal sealed class VcpuThrottle : IDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(20);

    private readonly ManualResetEventSlim _open = new(initialState: true);
    private readonly ManualResetEventSlim _ended = new();
    private readonly Action _kickAll;
    private readonly Thread _thread;

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
    public bool IsOpen => _open.IsSet;

    /// <summary>Returns when the guest may be entered.</summary>
    public void Wait() => _open.Wait();

    /// <summary>Lets everybody in.</summary>
    public void Dispose()
    {
        _ended.Set();
        _thread.Join();
    }

    private void Loop(TimeSpan outside)
    {
        while (!_ended.Wait(Period - outside))
        {
            _open.Reset();
            _kickAll();
            _ended.Wait(outside);
            _open.Set();
        }
    }
}
