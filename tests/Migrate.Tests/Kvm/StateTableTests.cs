using Migrate.Kvm.State;
using Migrate.Model;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;
using Migrate.Preflight;
using Migrate.Tests.Preflight;

namespace Migrate.Tests.Kvm;

/// <summary>The table that capture and restore go by.</summary>
public class StateTableTests
{
    private static IEnumerable<Type> Steps =>
        typeof(RestoreStep).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(RestoreStep)) && t != typeof(LeaveOut));

    [Fact]
    public void Every_step_that_a_plan_can_have_is_restored_by_one_part() =>
        Assert.Equal(Steps.Select(s => s.Name).Order(), StateTable.Parts.Select(p => p.Step.Name).Order());

    [Fact]
    public void Every_part_and_every_block_says_why_it_stands_where_it_stands()
    {
        Assert.All(StateTable.Parts, p => Assert.EndsWith(".", p.Why));
        Assert.All(StateTable.Devices, d => Assert.EndsWith(".", d.Why));
        Assert.All(StateTable.Devices.SelectMany(d => d.Blocks), b => Assert.EndsWith(".", b.Why));
    }

    /// <summary>Each member of a state is either the description's, which has steps of its own, or read by a part of the table.</summary>
    [Fact]
    public void Nothing_is_captured_that_no_part_restores()
    {
        Dictionary<string, Type?> restoredBy = new()
        {
            [nameof(MachineState.Vm)] = typeof(CreateVm),
            [nameof(MachineState.Vcpus)] = typeof(CreateVcpu),
            [nameof(MachineState.Devices)] = typeof(WriteDevice),
            [nameof(MachineState.Handlers)] = typeof(RestoreHandler),
            // Of the host, not of the machine.
            [nameof(MachineState.CapturedOn)] = null,
            [nameof(MachineState.CounterFrequency)] = null,
            [nameof(VcpuState.Index)] = typeof(CreateVcpu),
            [nameof(VcpuState.Registers)] = typeof(WriteRegister),
            [nameof(VcpuState.Unreadable)] = typeof(WriteRegister),
            [nameof(VcpuState.MpState)] = typeof(SetMpState),
            [nameof(VcpuState.Events)] = typeof(SetEvents),
            [nameof(VmDescription.Type)] = typeof(CreateVm),
            [nameof(VmDescription.Features)] = typeof(CreateVcpu),
            [nameof(VmDescription.VcpuCount)] = typeof(CreateVcpu),
            [nameof(VmDescription.Memory)] = typeof(MapMemory),
            [nameof(VmDescription.Gic)] = typeof(CreateGic),
            [nameof(VmDescription.SmcccFilter)] = typeof(InstallFilter),
            [nameof(VmDescription.Attributes)] = typeof(SetAttribute),
            // For people, and the sum over memory.
            [nameof(VmDescription.Name)] = null,
            [nameof(VmDescription.Id)] = null,
            [nameof(VmDescription.MemoryBytes)] = null,
        };
        var members = new[] { typeof(MachineState), typeof(VcpuState), typeof(VmDescription) }
            .SelectMany(t => t.GetProperties().Where(p => p.GetMethod!.IsPublic && !p.GetMethod.IsStatic)).Select(p => p.Name).Distinct();
        Assert.Equal(restoredBy.Keys.Order(), members.Order());
        var parts = StateTable.Parts.Select(p => p.Step).ToHashSet();
        Assert.All(restoredBy.Values.OfType<Type>(), step => Assert.Contains(step, parts));
    }

    [Fact]
    public void Every_part_that_is_captured_is_one_that_KVM_gives_back() =>
        Assert.Equal(
            ["WriteRegister", "WriteDevice", "SetEvents", "SetMpState"],
            StateTable.Parts.Where(p => p.Capture is not null).Select(p => p.Step.Name));

    [Fact]
    public void The_planners_steps_come_in_the_tables_order()
    {
        var gic = new GicDescription(GicKind.GicV3, 0x800_0000, 0xa00_0000);
        var state = Given.Machine(Given.Host(Given.Any(RegisterId.Core(0, 8)))) with
        {
            Devices = [new DeviceState("gicv3", [new DeviceAttribute(1, 8, new RegisterValue(1, 4))])],
        };
        var events = new VcpuEvents(true, false, 0, false);
        state = state with
        {
            Vm = state.Vm with
            {
                Gic = gic,
                SmcccFilter = [new SmcccFilterRange(0x8400_0020, 1, SmcccAction.ForwardToUser)],
                Attributes = [new VmAttribute("cap.arm-system-suspend", AttributeType.Flag, true, [])],
            },
            Vcpus = state.Vcpus.Select(v => v with { Events = events }).ToEquatableArray(),
        };
        var host = Given.Host(Given.Any(RegisterId.Core(0, 8))) with { KnownAttributes = KvmTarget.KnownAttributes.ToEquatableArray() };
        var steps = Planner.Plan(state, host, new PlanOptions()).Steps.Select(s => s.GetType()).ToList();

        var firsts = steps.Distinct().ToList();
        // Registers are of several places: identification before the filter, the rest after it; counters behind devices. The kernel asks for no more.
        var order = StateTable.Parts.Select(p => p.Step).Where(t => t != typeof(WriteRegister) && firsts.Contains(t)).ToList();
        Assert.Equal(order, firsts.Where(t => t != typeof(WriteRegister)));
        Assert.True(order.Count >= 9, string.Join(' ', order.Select(t => t.Name)));
        Assert.True(firsts.IndexOf(typeof(CreateGic)) < firsts.IndexOf(typeof(WriteRegister)));
        Assert.True(steps.LastIndexOf(typeof(WriteRegister)) < steps.IndexOf(typeof(SetEvents)));
    }
}
