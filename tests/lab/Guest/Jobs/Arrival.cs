using Migrate.Kvm.Vmm;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Ports;
using Migrate.Transfer.Agent;

namespace Migrate.LabGuest.Jobs;

/// <summary>A place for a VM that comes, which remembers the machine that came of it.</summary>
internal sealed class Arrival(LiveIncoming incoming, Action<IMachine> tell) : IIncomingMachine
{
    public IReadOnlyList<GuestMemory> Memory => incoming.Memory;

    public IReadOnlyList<StepAnswer> Execute(IReadOnlyList<RestoreStep> steps) => incoming.Execute(steps);

    public IReadOnlyList<ReadAnswer> Read(IReadOnlyList<RegisterAddress> registers) => incoming.Read(registers);

    public IMachine Complete(VmDescription description)
    {
        var machine = incoming.Complete(description);
        tell(machine);
        return machine;
    }

    public void Dispose() => incoming.Dispose();
}

/// <summary>A profile that was measured before.</summary>
internal sealed class KnownProfile(HostProfile profile) : IProfileSource
{
    public HostProfile Measure() => profile;
}
