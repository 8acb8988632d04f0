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

    /// <summary>Inside a description's attributes: each name that the record writes down is told again by a step of the table, memory tags excepted.</summary>
    [Fact]
    public void Every_attribute_that_can_be_written_down_has_a_step_of_the_table()
    {
        var parts = StateTable.Parts.Select(p => p.Step).ToHashSet();
        Assert.All(AttributeTable.All, a => Assert.Contains(a.Step, parts));
        Assert.Equal(VmAttributes.Known.Keys.Except([VmAttributes.MemoryTags, VmAttributes.Conduit]).Order(), AttributeTable.All.Select(a => a.Name).Order());
        Assert.Equal(
            [typeof(ConfigurePmu), typeof(SetAttribute), typeof(SetCounterOffset)],
            AttributeTable.All.Select(a => a.Step).Distinct().OrderBy(t => t.Name));
        Assert.Equal(KvmTarget.KnownAttributes, AttributeTable.All.Select(a => a.Name));
    }

    /// <summary>The planner and the target agree about which kind of step each attribute has.</summary>
    [Fact]
    public void The_planner_gives_every_attribute_by_the_step_that_the_target_knows_it_by()
    {
        var features = VcpuFeatures.Psci02 | VcpuFeatures.PmuV3;
        var host = Given.Profile(Given.Base(), features) with { KnownAttributes = KvmTarget.KnownAttributes.ToEquatableArray() };
        var attributes = VmAttributes.Known.Where(k => k.Key != VmAttributes.MemoryTags).Select(k => k.Value switch
        {
            AttributeType.Flag => VmAttributes.Flag(k.Key),
            AttributeType.Number => VmAttributes.Number(k.Key, 1),
            AttributeType.Text => VmAttributes.Text(k.Key, "p"),
            _ => VmAttributes.Filter([new(0, 1, PmuFilterAction.Deny)]),
        });
        var steps = Planner.Plan(Given.Machine(host).WithVm(vm => vm with { Attributes = attributes.ToEquatableArray() }), host, new PlanOptions()).Steps;
        var given = steps.Select(s => (Step: s.GetType(), Name: s is SetAttribute a ? a.Attribute.Name : s is ConfigurePmu c ? c.Attribute.Name
            : s is SetCounterOffset ? VmAttributes.CounterOffset : null)).Where(g => g.Name is not null);
        Assert.Equal(AttributeTable.All.Select(a => (a.Step, (string?)a.Name)).Order(Comparer<(Type Step, string? Name)>.Create((x, y) => string.CompareOrdinal(x.Name, y.Name))),
            given.OrderBy(g => g.Name, StringComparer.Ordinal));
    }

    /// <summary>The mutants: each holds one thing that no part restores, and is caught by its name.</summary>
    [Fact]
    public void What_is_captured_without_a_restore_is_caught_by_name()
    {
        var whole = Given.Machine() with { Devices = [new DeviceState("vcpu", []), new DeviceState("gicv3", []), new DeviceState("its", [])] };
        whole = whole.WithVm(vm => vm with { Gic = new GicDescription(GicKind.GicV3), Attributes = AttributeTable.All.Select(a => VmAttributes.Flag(a.Name)).ToEquatableArray() });
        whole = whole.WithVm(vm => vm with { Handlers = KvmTarget.KnownHandlers.ToEquatableArray() }) with { Handlers = KvmTarget.KnownHandlers.Select(name => new HandlerState(name, 1, [])).ToEquatableArray() };
        Assert.Empty(StateTable.WithoutRestore(whole));

        (string Name, MachineState State)[] mutants =
        [
            ("attribute cap.arm-mte", whole.WithVm(vm => vm with { Attributes = [VmAttributes.Flag(VmAttributes.MemoryTags)] })),
            ("attribute cap.novel", whole.WithVm(vm => vm with { Attributes = [VmAttributes.Flag("cap.novel")] })),
            ("interrupt controller GicV2", whole.WithVm(vm => vm with { Gic = new GicDescription(GicKind.GicV2) })),
            ("interrupt controller GicV5", whole.WithVm(vm => vm with { Gic = new GicDescription(GicKind.GicV5) })),
            ("device gicv2", whole with { Devices = [new DeviceState("gicv2", [])] }),
            ("handler novel", whole with { Handlers = [new HandlerState("novel", 1, [])] }),
            ("handler novel", whole.WithVm(vm => vm with { Handlers = ["novel"] })),
        ];
        Assert.All(mutants, m => Assert.Equal([m.Name], StateTable.WithoutRestore(m.State)));
    }

    [Fact]
    public void Every_part_that_is_captured_is_one_that_KVM_gives_back_or_this_process_has() =>
        Assert.Equal(
            ["WriteRegister", "WriteDevice", "RestoreHandler", "SetEvents", "SetMpState"],
            StateTable.Parts.Where(p => p.Capture is not null).Select(p => p.Step.Name));

    [Fact]
    public void The_planners_steps_come_in_the_tables_order()
    {
        var gic = new GicDescription(GicKind.GicV3, 0x800_0000, 0xa00_0000);
        var features = VcpuFeatures.Psci02 | VcpuFeatures.PmuV3;
        var host = Given.Profile(Given.Base(), features) with { KnownAttributes = KvmTarget.KnownAttributes.ToEquatableArray() };
        var state = Given.Machine(host) with
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
                Features = features,
                Attributes = [VmAttributes.Flag(VmAttributes.SystemSuspend), VmAttributes.Number(VmAttributes.PmuCounters, 1), VmAttributes.Flag(VmAttributes.CounterOffset)],
            },
            Vcpus = state.Vcpus.Select(v => v with { Events = events }).ToEquatableArray(),
        };
        var steps = Planner.Plan(state, host, new PlanOptions()).Steps.Select(s => s.GetType()).ToList();

        var firsts = steps.Distinct().ToList();
        // Registers are of several places: identification before the filter, the rest after it; counters behind devices. The kernel asks for no more.
        var order = StateTable.Parts.Select(p => p.Step).Where(t => t != typeof(WriteRegister) && firsts.Contains(t)).ToList();
        Assert.Equal(order, firsts.Where(t => t != typeof(WriteRegister) && t != typeof(LeaveOut)));
        Assert.True(order.Count >= 11, string.Join(' ', order.Select(t => t.Name)));
        Assert.True(firsts.IndexOf(typeof(CreateGic)) < firsts.IndexOf(typeof(WriteRegister)));
        Assert.True(steps.LastIndexOf(typeof(WriteRegister)) < steps.IndexOf(typeof(SetEvents)));
    }
}
