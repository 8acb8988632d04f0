namespace Migrate.Simulation.Machines;

/// <summary>Lets vCPU threads run and stops them at a step boundary. When <see cref="CloseAndWait"/> has returned, none of them is inside.</summary>
internal sealed class RunGate
{
    /// <summary>Monitor.Wait takes no more than 2^31 milliseconds.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(1);

    private readonly object _lock = new();
    private bool _open;
    private bool _ended;
    private int _openings;
    private int _inside;

    /// <summary>Whether a vCPU that is inside may go on: asked between batches of steps.</summary>
    public bool IsOpen => Volatile.Read(ref _open);

    /// <summary>Waits for an opening that this thread has not used yet; false when there will be none.</summary>
    public bool Enter(ref int seen)
    {
        lock (_lock)
        {
            while (!_ended && (!_open || _openings == seen)) Monitor.Wait(_lock);
            if (_ended) return false;
            seen = _openings;
            _inside++;
            return true;
        }
    }

    /// <summary>The thread has done its last write.</summary>
    public void Leave()
    {
        lock (_lock)
        {
            _inside--;
            Monitor.PulseAll(_lock);
        }
    }

    /// <summary>Waits inside, until time is up or the gate closes.</summary>
    public void Sleep(TimeSpan time)
    {
        lock (_lock)
            if (_open) Monitor.Wait(_lock, time);
    }

    /// <summary>Lets every thread in.</summary>
    public void Open()
    {
        lock (_lock)
        {
            if (_open || _ended) return;
            _openings++;
            Volatile.Write(ref _open, true);
            Monitor.PulseAll(_lock);
        }
    }

    /// <summary>Lets nobody in and waits until nobody is inside.</summary>
    public void CloseAndWait()
    {
        lock (_lock)
        {
            Volatile.Write(ref _open, false);
            Monitor.PulseAll(_lock);
            while (_inside != 0) Monitor.Wait(_lock);
        }
    }

    /// <summary>Waits, from outside, until a condition holds that only a leaving thread can bring about; false when the time is up first.</summary>
    public bool WaitUntil(Func<bool> condition, Func<TimeSpan> left)
    {
        lock (_lock)
        {
            while (!condition())
            {
                var time = left();
                if (time <= TimeSpan.Zero) return false;
                Monitor.Wait(_lock, time < LongestWait ? time : LongestWait);
            }
            return true;
        }
    }

    /// <summary>Sends every thread home, after <see cref="CloseAndWait"/>.</summary>
    public void End()
    {
        CloseAndWait();
        lock (_lock)
        {
            _ended = true;
            Monitor.PulseAll(_lock);
        }
    }
}
