using System.Diagnostics;
using Migrate.Kvm.Vmm;
using Migrate.LabGuest.Programs;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Ports;
using Migrate.Transfer.Agent;

namespace Migrate.LabGuest.Jobs;

/// <summary>A place for a VM that comes, which remembers the machine that came of it and when its time began to run here.</summary>
internal sealed class Arrival(LiveIncoming incoming) : IIncomingMachine
{
    private long _counterSet;

    public IReadOnlyList<GuestMemory> Memory => incoming.Memory;

    /// <summary>What came of it; null before it is complete.</summary>
    public IMachine? Machine { get; private set; }

    /// <summary>CNTVCT_EL0 as the source captured it.</summary>
    public ulong Counter { get; private set; }

    /// <summary>How long ago it was written.</summary>
    public TimeSpan SinceCounter => Stopwatch.GetElapsedTime(_counterSet);

    public IReadOnlyList<StepAnswer> Execute(IReadOnlyList<RestoreStep> steps)
    {
        foreach (var step in steps)
        {
            if (step is SetCounterOffset { GuestCounter: var offset }) Set(offset);
            else if (step is WriteRegister { Vcpu: 0, Value.Low: var count } write && write.Id == TravellerChecks.Count) Set(count);
        }
        return incoming.Execute(steps);
    }

    public IReadOnlyList<ReadAnswer> Read(IReadOnlyList<RegisterAddress> registers) => incoming.Read(registers);

    public IMachine Complete(VmDescription description)
    {
        Machine = incoming.Complete(description);
        return Machine;
    }

    public void Dispose() => incoming.Dispose();

    private void Set(ulong counter) => (Counter, _counterSet) = (counter, Stopwatch.GetTimestamp());
}

/// <summary>A profile that was measured before.</summary>
internal sealed class KnownProfile(HostProfile profile) : IProfileSource
{
    public HostProfile Measure() => profile;
}
