using Migrate.Model;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;
using static Migrate.Tests.Preflight.Given;

namespace Migrate.Tests.Preflight;

/// <summary>What KVM is told and does not give back: given again, or refused by name before anything is created.</summary>
public class VmAttributeRulesTests
{
    private static readonly RegisterId Cntpct = RegisterId.System(3, 3, 14, 0, 1);
    private static readonly VcpuFeatures WithPmu = Features | VcpuFeatures.PmuV3;

    private static readonly VmAttribute[] Every =
    [
        VmAttributes.Flag(VmAttributes.WritableImplementation), VmAttributes.Flag(VmAttributes.SystemSuspend), VmAttributes.Flag(VmAttributes.NoSyndromeToUser),
        VmAttributes.Flag(VmAttributes.ExternalAbortToUser), VmAttributes.Number(VmAttributes.DirtyRing, 65536, required: false),
        VmAttributes.Flag(VmAttributes.DirtyRingWithBitmap, required: false), VmAttributes.Text(VmAttributes.PmuName, "armv8_pmuv3_0"),
        VmAttributes.Number(VmAttributes.PmuCounters, 4), VmAttributes.Filter([new(0x11, 1, PmuFilterAction.Deny)]), VmAttributes.Flag(VmAttributes.CounterOffset),
    ];

    /// <summary>What each needs of the destination's kernel, as a probe names it, and what its absence is; stated apart from the planner's table.</summary>
    private static readonly Dictionary<string, (string Capability, FindingCode Missing)> Needs = new()
    {
        ["cap.arm-writable-imp-id-regs"] = ("arm-writable-imp-id-regs", FindingCode.CapabilityMissing),
        ["cap.arm-system-suspend"] = ("arm-system-suspend", FindingCode.CapabilityMissing),
        ["cap.arm-nisv-to-user"] = ("arm-nisv-to-user", FindingCode.CapabilityMissing),
        ["cap.arm-sea-to-user"] = ("arm-sea-to-user", FindingCode.CapabilityMissing),
        ["cap.dirty-log-ring-acq-rel"] = ("dirty-log-ring-acq-rel", FindingCode.CapabilityMissing),
        ["cap.dirty-log-ring-with-bitmap"] = ("dirty-log-ring-with-bitmap", FindingCode.CapabilityMissing),
        ["pmu.name"] = ("vcpu-attr.pmu-set-pmu", FindingCode.Pmu),
        ["pmu.counters"] = ("vcpu-attr.pmu-set-counters", FindingCode.Pmu),
        ["pmu.filter"] = ("vcpu-attr.pmu-filter", FindingCode.Pmu),
        ["counter-offset"] = ("counter-offset", FindingCode.CounterOffset),
    };

    public static TheoryData<string> Names => [.. Every.Select(a => a.Name)];

    [Fact]
    public void Every_attribute_is_in_one_step_of_the_plan_that_carries_its_value()
    {
        Assert.Equal(VmAttributes.Known.Keys.Where(n => n is not (VmAttributes.MemoryTags or VmAttributes.Conduit)).Order(), Every.Select(a => a.Name).Order());
        var plan = Plan(Machine(Every), Capable());
        Assert.Equal(Verdict.Yes, plan.Verdict);
        var carried = plan.Steps.Select(s => s switch
        {
            SetAttribute set => set.Attribute,
            ConfigurePmu configure => configure.Attribute,
            SetCounterOffset => VmAttributes.Flag(VmAttributes.CounterOffset),
            _ => null,
        }).OfType<VmAttribute>();
        Assert.Equal(Every.OrderBy(a => a.Name, StringComparer.Ordinal), carried.OrderBy(a => a.Name, StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void What_the_kernel_lacks_is_refused_by_name_or_not_needed(string name)
    {
        var attribute = Every.Single(a => a.Name == name);
        var (capability, missing) = Needs[name];
        var without = Capable() with { Capabilities = Capable().Capabilities.Select(c => c.Name == capability ? c with { Value = 0 } : c).ToEquatableArray() };
        var plan = Plan(Machine([attribute]), without);
        var finding = plan.Only(missing);
        Assert.Equal($"attribute {name}", finding.Subject);
        Assert.Equal(attribute.Required ? Verdict.No : Verdict.Yes, plan.Verdict);
        Assert.DoesNotContain(plan.Steps, s => s is SetAttribute or ConfigurePmu or SetCounterOffset);
        Assert.NotEmpty(finding.Remedy);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void What_nobody_asked_the_host_is_unproven(string name)
    {
        var plan = Plan(Machine([Every.Single(a => a.Name == name)]), Capable() with { Capabilities = [] });
        Assert.Equal((Verdict.Unproven, $"attribute {name}"), (plan.Verdict, plan.Findings.First(f => f.Code == FindingCode.Unproven).Subject));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void What_the_destinations_vmm_does_not_know_is_refused_by_name_unless_optional(string name)
    {
        var attribute = Every.Single(a => a.Name == name);
        var plan = Plan(Machine([attribute]), Capable() with { KnownAttributes = [] });
        Assert.Equal(attribute.Required ? Verdict.No : Verdict.Yes, plan.Verdict);
        Assert.Equal(attribute.Required ? $"attribute {name}" : null, plan.Stopping().SingleOrDefault()?.Subject);
    }

    [Fact]
    public void A_malformed_value_is_refused_and_given_to_no_kernel()
    {
        VmAttribute[] wrong =
        [
            new(VmAttributes.PmuFilter, AttributeType.Bytes, true, [1, 2, 3]), VmAttributes.Number(VmAttributes.PmuCounters, 32),
            VmAttributes.Text(VmAttributes.PmuName, "../../etc"), VmAttributes.Number(VmAttributes.SystemSuspend, 1),
        ];
        Assert.All(wrong, attribute =>
        {
            var plan = Plan(Machine([attribute]), Capable());
            Assert.Equal($"attribute {attribute.Name}", plan.Only(FindingCode.AttributeUnknown).Subject);
            Assert.DoesNotContain(plan.Steps, s => s is SetAttribute or ConfigurePmu);
        });
    }

    [Fact]
    public void A_ring_larger_than_the_destinations_is_not_asked_for()
    {
        var plan = Plan(Machine([VmAttributes.Number(VmAttributes.DirtyRing, 1 << 24, required: false)]), Capable());
        Assert.Equal(("E2BIG", Severity.Note, Verdict.Yes), (plan.Only(FindingCode.CapabilityMissing).Answer, plan.Findings[0].Severity, plan.Verdict));
    }

    [Fact]
    public void A_pmu_goes_by_its_name_and_one_of_another_name_is_refused_unless_accepted()
    {
        var state = Machine([VmAttributes.Text(VmAttributes.PmuName, "armv8_cortex_a57")]);
        var finding = Plan(state, Capable()).Only(FindingCode.Pmu);
        Assert.Equal(("armv8_cortex_a57", "armv8_pmuv3_0", "ENXIO"), (finding.Here, finding.There, finding.Answer));
        var accepted = Accepting(state, Capable(), FindingCode.Pmu);
        Assert.Equal(Verdict.Yes, accepted.Verdict);
        Assert.DoesNotContain(accepted.Steps, s => s is ConfigurePmu);
    }

    [Fact]
    public void A_pmu_of_vcpus_that_have_none_is_refused()
    {
        var state = Machine([VmAttributes.Number(VmAttributes.PmuCounters, 2)]).WithVm(vm => vm with { Features = Features });
        var host = Capable() with { Shapes = [Host().Shapes[0]] };
        Assert.Equal("ENODEV", Plan(state, host).Only(FindingCode.Pmu).Answer);
    }

    [Fact]
    public void Ranges_of_a_filter_keep_their_order()
    {
        PmuFilterRange[] ranges = [new(0, 0x100, PmuFilterAction.Deny), new(0x11, 1, PmuFilterAction.Allow), new(0xffff, 1, PmuFilterAction.Deny)];
        var step = Assert.Single(Plan(Machine([VmAttributes.Filter(ranges)]), Capable()).Steps.OfType<ConfigurePmu>());
        Assert.Equal(ranges, VmAttributes.FilterOf(step.Attribute));
    }

    [Fact]
    public void Counters_are_written_once_and_late_whatever_each_vcpu_read()
    {
        var host = Host(Any(Cntpct) with { Stored = StoredAs.Counting });
        var state = Migrate.Preflight.DefaultMachine.Of(host, Features, 4, GicKind.None);
        state = state with
        {
            Vcpus = state.Vcpus.Select(v => v with
            {
                Registers = v.Registers.With(new Register(Cntvct, new RegisterValue(1000UL + (ulong)v.Index)), new Register(Cntpct, new RegisterValue(9000UL + (ulong)v.Index))),
            }).ToEquatableArray(),
        };
        var steps = Plan(state, host).Steps.ToList();
        foreach (var (id, first) in new[] { (Cntvct, 1000UL), (Cntpct, 9000UL) })
        {
            var at = steps.FindIndex(s => s is WriteRegister w && w.Id == id);
            Assert.Equal((0, first), (((WriteRegister)steps[at]).Vcpu, ((WriteRegister)steps[at]).Value.Low));
            Assert.Equal(at, steps.FindLastIndex(s => s is WriteRegister w && w.Id == id));
            // Behind it only the other counter and power states.
            Assert.All(steps.Skip(at + 1), s => Assert.True(s is SetMpState || (s is WriteRegister w && (w.Id == Cntvct || w.Id == Cntpct))));
        }
    }

    [Fact]
    public void A_counter_offset_is_made_from_the_captured_count_once_for_all_vcpus_and_no_counter_is_written()
    {
        var host = Capable(Any(Cntpct) with { Stored = StoredAs.Counting });
        var state = Machine([VmAttributes.Flag(VmAttributes.CounterOffset)], host, vcpus: 3).With(Cntvct, 0x1234).With(Cntpct, 0x1234);
        var plan = Plan(state, host);
        Assert.Equal(Verdict.Yes, plan.Verdict);
        Assert.Equal(0x1234UL, Assert.Single(plan.Steps.OfType<SetCounterOffset>()).GuestCounter);
        Assert.DoesNotContain(plan.Steps, s => s is WriteRegister w && (w.Id == Cntvct || w.Id == Cntpct));
        Assert.Contains("ignores", plan.LeftOut(Cntvct).Why);
        Assert.Contains("ignores", plan.LeftOut(Cntpct).Why);
        var steps = plan.Steps.ToList();
        Assert.All(steps.Skip(steps.FindIndex(s => s is SetCounterOffset) + 1), s => Assert.True(s is SetEvents or SetMpState));
    }

    [Fact]
    public void Without_the_interface_the_virtual_counter_goes_on_and_the_physical_one_is_lost_by_name()
    {
        var host = Capable() with { Capabilities = [new("counter-offset", 0)] };
        var state = Machine([VmAttributes.Flag(VmAttributes.CounterOffset)], host).With(Cntvct, 0x1234);
        Assert.Equal((Verdict.No, Severity.Lossy), (Plan(state, host).Verdict, Plan(state, host).Only(FindingCode.CounterOffset).Severity));
        var accepted = Accepting(state, host, FindingCode.CounterOffset);
        Assert.Equal((Verdict.Yes, 0x1234UL), (accepted.Verdict, accepted.Write(Cntvct).Value.Low));
        Assert.Empty(accepted.Steps.OfType<SetCounterOffset>());
    }

    [Fact]
    public void A_counter_offset_without_a_captured_count_is_lossy()
    {
        var host = Capable();
        var state = Machine([VmAttributes.Flag(VmAttributes.CounterOffset)]);
        state = state with { Vcpus = state.Vcpus.Select(v => v with { Registers = new(v.Registers.Where(r => r.Id != Cntvct)) }).ToEquatableArray() };
        Assert.Equal("CNTVCT_EL0 was not captured", Plan(state, host).Only(FindingCode.CounterOffset).Here);
    }

    [Fact]
    public void Memory_tags_are_refused_by_name_and_cannot_be_accepted()
    {
        var named = Machine([VmAttributes.Flag(VmAttributes.MemoryTags)]);
        Assert.Equal("attribute cap.arm-mte", Plan(named, Capable() with { KnownAttributes = [VmAttributes.MemoryTags] }).Only(FindingCode.MemoryTags).Subject);
        // A capture that knows nothing of capabilities: KVM shows the field to VMs with tags alone.
        var seen = Given.Machine().With(Pfr1, 0x220);
        Assert.Equal("ID_AA64PFR1_EL1.MTE", Plan(seen, Host()).Only(FindingCode.MemoryTags).Subject);
        Assert.Equal(Verdict.No, Accepting(seen, Host(), FindingCode.MemoryTags, FindingCode.ValueRefused).Verdict);
        Assert.DoesNotContain(Plan(Given.Machine().With(Pfr1, 0x20), Host()).Findings, f => f.Code == FindingCode.MemoryTags);
    }

    [Fact]
    public void Stolen_time_that_the_destination_lacks_is_refused_by_name_for_each_vcpu()
    {
        var state = Given.Machine() with
        {
            Devices = [new DeviceState("vcpu", [new DeviceAttribute(1, 0, new RegisterValue(27, 4)), Stolen(0), Stolen(1)])],
        };
        var host = Host() with { Capabilities = [new("vcpu-attr.stolen-time", 0), new("vcpu-attr.timer-virtual", 1)] };
        var finding = Plan(state, host).Only(FindingCode.VcpuAttribute);
        Assert.Equal(("stolen time", "ENXIO"), (finding.Subject, finding.Answer));
        Assert.Equal([0, 1], finding.Vcpus);

        // Accepted by name, the rest of the vCPUs' attributes still goes.
        var accepted = Accepting(state, host, FindingCode.VcpuAttribute);
        Assert.Equal(Verdict.Yes, accepted.Verdict);
        Assert.Equal((1u, 0UL), (accepted.Steps.OfType<WriteDevice>().Single().Device.Attributes.Single().Group, accepted.Steps.OfType<WriteDevice>().Single().Device.Attributes.Single().Attribute));
        Assert.Equal(3, Plan(state, Host() with { Capabilities = [new("vcpu-attr.stolen-time", 1)] }).Steps.OfType<WriteDevice>().Single().Device.Attributes.Count);
    }

    [Fact]
    public void Interrupts_of_EL2_timers_that_the_destination_lacks_are_left_out_unless_the_guest_has_EL2()
    {
        var state = Given.Machine() with { Devices = [new DeviceState("vcpu", [new DeviceAttribute(1, 2, new RegisterValue(28, 4))])] };
        var host = Host() with { Capabilities = [new("vcpu-attr.timer-hypervisor-virtual", 0)] };
        var plan = Plan(state, host);
        Assert.Equal(Verdict.Yes, plan.Verdict);
        Assert.Empty(plan.Steps.OfType<WriteDevice>().Single().Device.Attributes);
        Assert.Equal("interrupt of the virtual EL2 timer", plan.Only(FindingCode.LeftOut).Subject);

        var nested = state.WithVm(vm => vm with { Features = Features | VcpuFeatures.El2 });
        var able = host with { Shapes = [host.Shapes[0] with { Features = Features | VcpuFeatures.El2 }] };
        Assert.Equal(Severity.Refused, Plan(nested, able).Only(FindingCode.VcpuAttribute).Severity);
    }

    [Fact]
    public void A_suspended_vcpu_needs_a_host_that_knows_the_state()
    {
        var state = Given.Machine();
        state = state with { Vcpus = [state.Vcpus[0] with { MpState = MpState.Suspended }] };
        Assert.Equal("power state", Plan(state, Host() with { Capabilities = [new("arm-system-suspend", 0)] }).Only(FindingCode.CapabilityMissing).Subject);
        Assert.Equal(Verdict.Yes, Plan(state, Host() with { Capabilities = [new("arm-system-suspend", 1)] }).Verdict);
    }

    private static DeviceAttribute Stolen(int vcpu) => new(2, (ulong)vcpu << 32, new RegisterValue(0x4000_0000UL + (ulong)vcpu * 64));

    /// <summary>A host whose kernel has all of it and whose VMM knows all of it.</summary>
    private static HostProfile Capable(params RegisterAcceptance[] registers) => Profile(Host(registers).Shapes[0].Registers, WithPmu) with
    {
        KnownAttributes = Needs.Keys.ToEquatableArray(),
        Capabilities = [.. Needs.Values.Select(n => new HostCapability(n.Capability, n.Capability == "dirty-log-ring-acq-rel" ? 1 << 20 : 1)), new("pmu.armv8_pmuv3_0", 1)],
    };

    private static MachineState Machine(VmAttribute[] attributes, HostProfile? host = null, int vcpus = 1) =>
        Given.Machine(host ?? Capable(), vcpus).WithVm(vm => vm with { Attributes = [.. attributes] });
}
