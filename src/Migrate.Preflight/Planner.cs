using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Preflight.Registers;
using Migrate.Preflight.Rules;

namespace Migrate.Preflight;

/// <summary>Answers "will this VM survive that host, and if so, exactly how is it restored there?" without asking either.</summary>
public static class Planner
{
    /// <summary>The plan of a move. A pure function: equal arguments give equal plans; no clock, no file, no host is consulted.</summary>
    /// <param name="state">The machine as captured or described.</param>
    /// <param name="destination">What the destination accepts.</param>
    /// <param name="options">Policy and what the operator accepts.</param>
    /// <param name="source">What the source host is, where known; it fills in what a capture does not say.</param>
    /// <returns>Steps and every finding, whatever the verdict. Each captured register is in a write, a leave-out or a finding.</returns>
    public static RestorePlan Plan(MachineState state, HostProfile destination, PlanOptions options, HostProfile? source = null) =>
        Plan(state, new PreparedHost(destination), options, source);

    /// <inheritdoc cref="Plan(MachineState, HostProfile, PlanOptions, HostProfile?)"/>
    public static RestorePlan Plan(MachineState state, PreparedHost destination, PlanOptions options, HostProfile? source = null) =>
        Plan(new PlanContext(state, destination, options, source));

    /// <summary>The plan without its steps: verdict, evidence and every finding, for those who ask about many pairs. Nothing is allocated for a register that is kept.</summary>
    /// <inheritdoc cref="Plan(MachineState, HostProfile, PlanOptions, HostProfile?)"/>
    public static RestorePlan Judge(MachineState state, PreparedHost destination, PlanOptions options, HostProfile? source = null) =>
        Plan(new PlanContext(state, destination, options, source, keepsSteps: false));

    private static RestorePlan Plan(PlanContext context)
    {
        AddStructure(context);
        foreach (var rule in RuleTable.Machine) rule(context);
        RegisterPlanner.Plan(context);
        AddState(context);
        return context.Plan.Build(context.Ground);
    }

    private static void AddStructure(PlanContext context)
    {
        var (vm, plan) = (context.State.Vm, context.Plan);
        plan.Add(StepPlace.Vm, new CreateVm(vm.Type));
        foreach (var slot in vm.Memory) plan.Add(StepPlace.Memory, new MapMemory(slot));
        foreach (var vcpu in context.State.Vcpus)
        {
            plan.Add(StepPlace.Vcpus, new CreateVcpu(vcpu.Index, vm.Features.Shape));
            if (vm.Features.Has(VcpuFeatures.Sve)) plan.Add(StepPlace.FinalizeSve, new FinalizeSve(vcpu.Index));
        }
        if (vm.Gic.Kind != GicKind.None) plan.Add(StepPlace.Gic, new CreateGic(vm.Gic));
        foreach (var range in vm.SmcccFilter) plan.Add(StepPlace.Filter, new InstallFilter(range));
    }

    private static void AddState(PlanContext context)
    {
        foreach (var device in context.State.Devices) context.Plan.Add(StepPlace.Devices, new WriteDevice(VcpuAttributeRule.Kept(context, device)));
        CounterOffsetRule.AddStep(context);
        foreach (var vcpu in context.State.Vcpus)
        {
            // A new vCPU has no pending event, and a host without the capability must not be asked to store none.
            if (vcpu.Events != default) context.Plan.Add(StepPlace.Events, new SetEvents(vcpu.Index, vcpu.Events));
            context.Plan.Add(StepPlace.PowerState, new SetMpState(vcpu.Index, vcpu.MpState));
        }
    }
}
