using Migrate.Kvm.State;
using Migrate.Model;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Transfer.Agent;

namespace Migrate.LabGuest.Jobs;

/// <summary>A profile that promises nothing and forbids nothing: whatever is refused, the host itself refuses.</summary>
internal sealed class TakesEverything(MachineState state) : IProfileSource
{
    /// <summary>CNTFRQ_EL0 that both sides are said to have; what it is does not matter here.</summary>
    public const ulong Frequency = 62_500_000;

    public HostProfile Measure() => new()
    {
        Boot = new BootIdentity { HostName = "this", PageSize = Environment.SystemPageSize },
        Evidence = Evidence.Assumed,
        CounterFrequency = Frequency,
        KnownAttributes = KvmTarget.KnownAttributes.ToEquatableArray(),
        Shapes =
        [
            new HostShape
            {
                Features = state.Vm.Features,
                Gic = state.Vm.Gic.Kind,
                Evidence = Evidence.Assumed,
                Registers = state.Vcpus[0].Registers.Select(r => new RegisterAcceptance { Id = r.Id, Accepts = Acceptance.Any }).ToEquatableArray(),
            },
        ],
    };
}
