using System.Collections.Concurrent;
using Migrate.Model.Errors;
using Migrate.Transfer.Machines;

namespace Migrate.ProcessTests.Harness;

/// <summary>Asks both sides for one machine again and again while a test goes on: never may two run, nor one that was given away.</summary>
/// <remarks>
/// The destination is asked first: a machine that ran there before the source was asked has left the source for good, so seeing
/// both run is a violation and no race of the two questions.
/// </remarks>
internal sealed class Watch : IDisposable
{
    private static readonly TimeSpan Pause = 4 * Hosting.Look;
    private readonly TwoHosts _hosts;
    private readonly string _vmId;
    private readonly Thread _thread;
    private readonly ManualResetEventSlim _stop = new();
    private readonly ConcurrentQueue<string> _violations = new();
    private readonly Dictionary<int, (ulong Steps, int Advances)> _released = [];

    public Watch(TwoHosts hosts, string vmId)
    {
        _hosts = hosts;
        _vmId = vmId;
        _thread = new Thread(Run) { IsBackground = true, Name = "watch" };
        _thread.Start();
    }

    /// <summary>Whether its vCPUs run: while its writes are logged they do.</summary>
    public static bool Executes(MachineStatus? machine) => machine?.State is LifecycleState.Running or LifecycleState.Logging;

    /// <summary>How far its program is.</summary>
    public static ulong Steps(MachineStatus machine) => machine.Counters.FirstOrDefault(c => c.Key == Hosting.Counter).Value;

    /// <summary>The machine on a host; where several processes hold it, one that runs it.</summary>
    public MachineStatus? Find(Vmmigrate host)
    {
        var all = host.Ask().Where(m => m.VmId == _vmId && m.State is not (LifecycleState.Incoming or LifecycleState.Destroyed)).ToList();
        if (all.Count(Executes) > 1) _violations.Enqueue($"two processes of one host run it: {string.Join(", ", all.Select(m => m.Pid))}");
        return all.Find(Executes) ?? all.FirstOrDefault();
    }

    public void AssertNoViolation() => Assert.Empty(_violations);

    public void Dispose()
    {
        _stop.Set();
        _thread.Join();
        _stop.Dispose();
    }

    private void Run()
    {
        while (!_stop.Wait(Pause))
        {
            try
            {
                var there = Find(_hosts.Destination);
                var here = Find(_hosts.Source);
                if (Executes(there) && Executes(here)) _violations.Enqueue($"both run it: {there!.State} at the destination, {here!.State} at the source");
                if (here?.State == LifecycleState.Released) Released(here);
            }
            catch (Exception e) when (e is MigrateException or IOException)
            {
                // A host is being taken away.
            }
        }
    }

    /// <summary>The first answer may hold counters of before the stop, when a request held the machine just then; so one advance proves nothing, two do.</summary>
    private void Released(MachineStatus machine)
    {
        var steps = Steps(machine);
        if (!_released.TryGetValue(machine.Pid, out var last)) last = (steps, 0);
        else if (steps != last.Steps) last = (steps, last.Advances + 1);
        _released[machine.Pid] = last;
        if (last.Advances > 1) _violations.Enqueue($"the source's program went on to step {steps} while the machine was released");
    }
}
