using Migrate.Model;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Preflight;

namespace Migrate.Transfer.Conformance;

/// <summary>The host that a state was captured on, as far as the state tells: it takes back what it gave.</summary>
/// <remarks>An assumption that only these checks may make, since they judge what a VMM answers and not what a host accepts.</remarks>
internal static class OwnHost
{
    /// <summary>How a state is restored on the host that it was captured on.</summary>
    public static RestorePlan PlanOf(MachineState state) => Planner.Plan(state, Of(state), new PlanOptions { AcceptAssumed = true });

    private static HostProfile Of(MachineState state)
    {
        var registers = state.Vcpus.SelectMany(v => v.Registers).DistinctBy(r => r.Id)
            .Select(r => new RegisterAcceptance { Id = r.Id, Reset = r.Value, Accepts = Acceptance.Any });
        return new HostProfile
        {
            Boot = state.CapturedOn ?? new BootIdentity(),
            Evidence = Evidence.Assumed,
            Origin = "the captured machine",
            IpaSizes = [state.Vm.Type.IpaBits],
            HasSmcccFilter = true,
            Handlers = state.Vm.Handlers,
            KnownAttributes = state.Vm.Attributes.Select(a => a.Name).ToEquatableArray(),
            CounterFrequency = state.CounterFrequency,
            Shapes = [new HostShape { Features = state.Vm.Features.Shape, Gic = state.Vm.Gic.Kind, Evidence = Evidence.Assumed, Registers = registers.ToEquatableArray() }],
        };
    }
}
