using System.Diagnostics;
using Migrate.Transfer.Handover;
using Migrate.Transfer.Machines;
using Migrate.Transfer.Receive;
using Migrate.Transfer.Send;

namespace Migrate.ProcessTests.Harness;

/// <summary>Where a machine runs.</summary>
public enum Side
{
    Nowhere,
    Source,
    Destination,
    Either,
}

/// <summary>One machine under test: moved, watched all the time by <see cref="Watch"/>, and ended with the test.</summary>
internal sealed class Moving : IDisposable
{
    private static readonly TimeSpan Patience = Hosting.Enough(TimeSpan.FromSeconds(30));
    private readonly TwoHosts _hosts;
    private readonly Watch _watch;

    public Moving(TwoHosts hosts, string name, string? killAt, string[] more)
    {
        _hosts = hosts;
        Name = name;
        Vmm = hosts.Source.StartMachine(name, killAt, more);
        VmId = hosts.Source.Ask().Single(m => m.Name == name).VmId;
        _watch = new Watch(hosts, VmId);
    }

    public string Name { get; }

    public string VmId { get; }

    /// <summary>The source's VMM.</summary>
    public Running Vmm { get; }

    /// <summary>The latest handover of this machine.</summary>
    public HandoverRecord<SourceMark> Record => Records().LastOrDefault() ?? throw new InvalidOperationException($"no handover of {Name} is recorded");

    public string HandoverId => Record.Id;

    public bool HasRecord => Records().Any();

    public Running StartSend(string? killAt = null, params string[] more) =>
        _hosts.Source.Start(["send", Name, _hosts.Address, "--accept", "assumed", .. more], killAt);

    /// <summary>Sends it to an end, with a short time for asking.</summary>
    public Ended Send(string? killAt = null, params string[] more) => StartSend(killAt, ["--outcome-timeout", Hosting.Enough(100), .. more]).Wait();

    /// <summary>Resolves it while an agent answers.</summary>
    public Ended Resolve(string? killAt = null, params string[] more) => Resolve(20_000, killAt, more);

    /// <summary>Resolves it while none does.</summary>
    public Ended ResolveAlone(string? killAt = null, params string[] more) => Resolve(500, killAt, more);

    /// <summary>A move whose outcome could not be proven says so, and names the way out.</summary>
    public void AssertUnknown(Ended outcome)
    {
        outcome.Exited(5);
        Assert.Contains($"vmmigrate resolve {HandoverId}", outcome.Error);
    }

    /// <summary>Exactly this side runs the machine, its program goes on, and never did two run, nor one that was stopped.</summary>
    public Side AssertRunsAt(Side expected)
    {
        var since = Stopwatch.GetTimestamp();
        Dictionary<Side, ulong> first = [];
        while (true)
        {
            var (there, here) = (_watch.Find(_hosts.Destination), _watch.Find(_hosts.Source));
            Assert.False(Watch.Executes(there) && Watch.Executes(here), $"{Name} runs twice");
            var at = Watch.Executes(there) ? Side.Destination : Watch.Executes(here) ? Side.Source : Side.Nowhere;
            if (expected == Side.Nowhere && at == Side.Nowhere) break;
            if (at != Side.Nowhere && (expected == at || expected == Side.Either))
            {
                var steps = Watch.Steps((at == Side.Source ? here : there)!);
                if (first.TryAdd(at, steps)) continue;
                if (steps > first[at])
                {
                    expected = at;
                    break;
                }
            }
            Assert.True(Stopwatch.GetElapsedTime(since) < Patience, $"{Name} runs at {at} instead of {expected}; source: {here?.State}, destination: {there?.State}");
            Thread.Sleep(Hosting.Look);
        }
        _watch.AssertNoViolation();
        return expected;
    }

    /// <summary>The agent has written down that the machine never runs there, and thrown its copy away: it does both on a thread of its own.</summary>
    public void AssertNeverAtDestination() => Await(
        () => AtDestination() is null && _hosts.DestinationState.Destination.Find(HandoverId)?.Mark == DestinationMark.Never,
        $"the destination never forgot {Name}");

    /// <summary>Waits for a state of the source's VMM.</summary>
    public void AwaitAtSource(LifecycleState state) => Await(() => AtSource()?.State == state, $"{Name} was never {state}");

    /// <summary>The destination's machine, for whoever wants to kill it.</summary>
    public MachineStatus? AtDestination() => _watch.Find(_hosts.Destination);

    public MachineStatus? AtSource() => _watch.Find(_hosts.Source);

    public void KillDestinationVmm()
    {
        foreach (var machine in _hosts.Destination.Ask().Where(m => m.VmId == VmId)) Processes.Kill(machine.Pid);
    }

    public void Dispose()
    {
        _watch.Dispose();
        Vmm.Dispose();
        KillDestinationVmm();
        _hosts.Source.Sweep();
        _hosts.Destination.Sweep();
        _watch.AssertNoViolation();
    }

    private static void Await(Func<bool> happened, string otherwise)
    {
        var since = Stopwatch.GetTimestamp();
        while (!happened())
        {
            Assert.True(Stopwatch.GetElapsedTime(since) < Patience, otherwise);
            Thread.Sleep(Hosting.Look);
        }
    }

    private Ended Resolve(int milliseconds, string? killAt, string[] more) =>
        _hosts.Source.Start(["resolve", HandoverId, "--outcome-timeout", Hosting.Enough(milliseconds), .. more], killAt).Wait();

    private IEnumerable<HandoverRecord<SourceMark>> Records()
    {
        var source = _hosts.SourceState.Source;
        return source.Ids().Select(id => source.Find(id)!).Where(r => r.VmName == Name).OrderBy(r => r.Time, StringComparer.Ordinal);
    }
}
