using Migrate.Model;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;
using Migrate.Preflight;
using static Migrate.Tests.Preflight.Given;

namespace Migrate.Tests.Preflight;

public class MachineRulesTests
{
    private const ulong Page = 4096;

    [Fact]
    public void A_host_without_a_filter_validates_none()
    {
        var state = Machine().WithVm(vm => vm with { SmcccFilter = [new SmcccFilterRange(0x8000_0000, 1, SmcccAction.Deny)] });
        Assert.Equal("EINVAL", Plan(state, Host() with { HasSmcccFilter = false }).Only(FindingCode.SmcccFilter).Answer);
        Assert.Equal("EEXIST", Plan(state, Host()).Only(FindingCode.SmcccFilter).Answer);
    }

    [Theory]
    [InlineData("", "EINVAL")]
    [InlineData("vhe", "EINVAL")]
    [InlineData("protected", "EPERM")]
    public void A_protected_vm_is_refused_at_its_creation_or_when_its_memory_is_wanted(string mode, string answer)
    {
        var host = Host();
        host = host with { Boot = host.Boot with { KvmMode = mode } };
        Assert.Equal(answer, Plan(Machine().WithVm(vm => vm with { Type = new VmType(1UL << 31) }), host).Only(FindingCode.IpaSize).Answer);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(32, false)]
    [InlineData(64, true)]
    [InlineData(100, false)]
    [InlineData(992, true)]
    [InlineData(1024, false)]
    public void A_gic_has_64_to_1023_interrupts_in_steps_of_32(int interrupts, bool works)
    {
        var plan = Plan(Gic(new GicDescription(GicKind.GicV3, 0x800_0000, 0xa00_0000, 0, interrupts)), Host());
        Assert.Equal(works ? [] : ["GIC interrupts EINVAL"], plan.Findings.Where(f => f.Code == FindingCode.StepRefused).Select(f => $"{f.Subject} {f.Answer}"));
    }

    [Fact]
    public void A_gic_that_the_host_has_not_is_refused_and_cannot_be_accepted()
    {
        var host = Host() with { Capabilities = [new HostCapability("device.gicv3", 0), new HostCapability("device.its", 0)] };
        var state = Gic(new GicDescription(GicKind.GicV3, 0x800_0000, 0xa00_0000, 0x900_0000));
        var plan = Accepting(state, host, FindingCode.StepRefused);
        Assert.Equal(["GICv3 ENODEV", "ITS ENODEV"], plan.Stopping().Where(f => f.Code == FindingCode.StepRefused).Select(f => $"{f.Subject} {f.Answer}").Order());
    }

    [Theory]
    [InlineData(true, true, 0x1ffffffUL, 1L, false)]
    [InlineData(true, true, 0x2000000UL, 1L, true)]
    [InlineData(true, true, 0x1UL, 0L, true)]
    [InlineData(true, false, 0x2000000UL, 0L, false)]
    [InlineData(false, true, 0x2000000UL, 0L, false)]
    public void A_pending_serror_needs_a_cpu_that_can_have_its_syndrome(bool pending, bool hasEsr, ulong esr, long ras, bool refused)
    {
        var state = Machine();
        state = state with { Vcpus = state.Vcpus.Select(v => v with { Events = new VcpuEvents(pending, hasEsr, esr, false) }).ToEquatableArray() };
        var host = Host() with { Capabilities = [new HostCapability("arm-inject-serror-esr", ras)] };
        var plan = Plan(state, host);
        Assert.Equal(refused ? Verdict.No : Verdict.Yes, plan.Verdict);
        if (!refused) return;
        Assert.Equal(("pending events", "EINVAL"), (plan.Only(FindingCode.StepRefused).Subject, plan.Only(FindingCode.StepRefused).Answer));
        Assert.Equal(Verdict.No, Accepting(state, host, FindingCode.StepRefused).Verdict);
    }

    [Fact]
    public void An_ipa_size_that_the_host_lacks_is_refused()
    {
        var finding = Plan(Machine().WithVm(vm => vm with { Type = new VmType(52) }), Host()).Only(FindingCode.IpaSize);
        Assert.Equal(("52 bits", "32, 36, 40, 44, 48", "EINVAL"), (finding.Here, finding.There, finding.Answer));
        Assert.Equal(Verdict.Yes, Plan(Machine().WithVm(vm => vm with { Type = new VmType(44) }), Host()).Verdict);
    }

    [Fact]
    public void An_ipa_size_is_unproven_where_the_hosts_sizes_are_unknown() =>
        Assert.Equal(Verdict.Unproven, Plan(Machine(), Host() with { IpaSizes = [] }).Verdict);

    [Theory]
    [InlineData(1UL << 31)]
    [InlineData(1UL << 40 | 40)]
    public void A_vm_type_that_cannot_be_moved_or_made_is_refused(ulong type) =>
        Assert.Equal("VM type", Plan(Machine().WithVm(vm => vm with { Type = new VmType(type) }), Host()).Only(FindingCode.IpaSize).Subject);

    [Theory]
    [InlineData(0x4000_0001UL, Page)]
    [InlineData(0x4000_0000UL, Page + 1)]
    [InlineData(0x4000_0000UL, 0UL)]
    public void A_misaligned_or_empty_slot_is_refused(ulong address, ulong size) =>
        Assert.Equal("EINVAL", Plan(Slots(new MemorySlot(0, address, size)), Host()).Only(FindingCode.MemoryLayout).Answer);

    [Fact]
    public void Memory_beyond_the_address_limit_is_refused_and_up_to_it_is_not()
    {
        var limit = 1UL << 40;
        Assert.Equal(Verdict.Yes, Plan(Slots(new MemorySlot(0, limit - Page * 16, Page * 16)), Host()).Verdict);
        Assert.Equal("EFAULT", Plan(Slots(new MemorySlot(0, limit - Page * 16, Page * 32)), Host()).Only(FindingCode.IpaSize).Answer);
        Assert.Equal("EFAULT", Plan(Slots(new MemorySlot(0, ulong.MaxValue - 0xffff, 1 << 17)), Host()).Only(FindingCode.IpaSize).Answer);
    }

    [Fact]
    public void Overlapping_slots_are_refused_pair_by_pair_and_touching_ones_are_not()
    {
        const ulong size = 1 << 20;
        Assert.Equal(Verdict.Yes, Plan(Slots(new MemorySlot(0, 0, size), new MemorySlot(1, size, size)), Host()).Verdict);
        var plan = Plan(Slots(new MemorySlot(0, 0, 3 * size), new MemorySlot(1, size, size), new MemorySlot(2, size, size)), Host());
        Assert.Equal(3, plan.Findings.Count(f => f.Code == FindingCode.MemoryLayout));
        Assert.Contains("2 slots", Plan(Slots(new MemorySlot(0, 0, size), new MemorySlot(0, size, size)),
            Host()).Only(FindingCode.MemoryLayout).Here);
    }

    [Fact]
    public void Device_frames_must_be_aligned_inside_the_limit_and_clear_of_memory()
    {
        Assert.Equal(Verdict.Yes, Plan(Gic(new GicDescription(GicKind.GicV3, 0x800_0000, 0x80a_0000, 0x808_0000)), Host()).Verdict);
        Assert.Equal("EINVAL", Plan(Gic(new GicDescription(GicKind.GicV3, 0x800_1000)), Host()).Only(FindingCode.MemoryLayout).Answer);
        Assert.Equal("E2BIG", Plan(Gic(new GicDescription(GicKind.GicV3, 1UL << 40)), Host()).Only(FindingCode.MemoryLayout).Answer);
        Assert.Contains("memory slot 0", Plan(Gic(new GicDescription(GicKind.GicV3, 0x4000_0000)), Host()).Only(FindingCode.MemoryLayout).Subject);
    }

    [Fact]
    public void Slots_that_are_no_whole_pages_of_the_host_are_refused_and_unproven_where_its_page_is_unknown()
    {
        var state = Slots(new MemorySlot(0, 0, Page));
        var large = Host() with { Boot = Host().Boot with { PageSize = 65536 } };
        Assert.Equal("EINVAL", Plan(state, large).Only(FindingCode.PageSize).Answer);
        Assert.Equal(Verdict.Yes, Plan(state, Host()).Verdict);
        Assert.Equal(Verdict.Unproven, Plan(state, Host() with { Boot = new() }).Verdict);
    }

    [Fact]
    public void Features_that_the_host_refuses_are_one_finding()
    {
        var host = Host();
        var plan = Plan(Machine(), host with { Shapes = [host.Shapes[0] with { Errno = 22, RefusedAt = "vcpu_init", Registers = [] }] });
        Assert.Equal("EINVAL at vcpu_init", Assert.Single(plan.Findings).Answer);
        Assert.Equal((Verdict.No, FindingCode.VcpuFeatures), (plan.Verdict, plan.Findings[0].Code));
    }

    [Fact]
    public void Features_that_nobody_measured_are_unproven_even_between_measured_neighbours()
    {
        var with = Features | VcpuFeatures.PmuV3 | VcpuFeatures.Sve;
        var host = Host() with { Shapes = [Host().Shapes[0], Host().Shapes[0] with { Features = with }] };
        var plan = Plan(Machine().WithVm(vm => vm with { Features = Features | VcpuFeatures.PmuV3 }), host);
        Assert.Equal((Verdict.Unproven, Evidence.Assumed), (plan.Verdict, plan.Evidence));
        Assert.Equal(Verdict.Yes, Planner.Plan(Machine().WithVm(vm => vm with { Features = Features | VcpuFeatures.PmuV3 }), host,
            new() { AcceptAssumed = true }).Verdict);
    }

    [Theory]
    [InlineData(0x8400_0020u, 0x20u, SmcccAction.ForwardToUser, null)]
    [InlineData(0xffff_ffffu, 1u, SmcccAction.Deny, null)]
    [InlineData(0x8001_0000u, 1u, SmcccAction.Handle, null)]
    [InlineData(0x8400_0020u, 0u, SmcccAction.Deny, "EINVAL")]
    [InlineData(0xffff_ffffu, 2u, SmcccAction.Deny, "EINVAL")]
    [InlineData(0x8400_0020u, 1u, (SmcccAction)3, "EINVAL")]
    [InlineData(0x8000_0000u, 1u, SmcccAction.Deny, "EEXIST")]
    [InlineData(0x7fff_0000u, 0x1_0001u, SmcccAction.Deny, "EEXIST")]
    [InlineData(0xc000_ffffu, 1u, SmcccAction.Deny, "EEXIST")]
    public void A_filter_range_is_judged_as_the_kernel_would(uint first, uint count, SmcccAction action, string? answer)
    {
        var plan = Plan(Filter(new SmcccFilterRange(first, count, action)), Host() with { Handlers = ["psci", "sdei"] });
        Assert.Equal(answer, plan.Findings.Select(f => f.Answer).SingleOrDefault());
    }

    [Fact]
    public void Every_bad_filter_range_is_reported_and_a_duplicate_is_an_overlap()
    {
        var range = new SmcccFilterRange(0x8400_0020, 0x20, SmcccAction.ForwardToUser);
        var plan = Plan(Filter(range, range, new SmcccFilterRange(0, 0, SmcccAction.Deny), new SmcccFilterRange(0x8400_003f, 1,
            SmcccAction.Deny)), Host() with { Handlers = ["sdei"] });
        Assert.Equal(["EEXIST", "EINVAL", "EEXIST"], plan.Findings.Select(f => f.Answer));
    }

    [Fact]
    public void A_filter_needs_the_interface()
    {
        var state = Filter(new SmcccFilterRange(0x8400_0020, 1, SmcccAction.Deny));
        Assert.Equal("EINVAL", Plan(state, Host() with { HasSmcccFilter = false }).Only(FindingCode.SmcccFilter).Answer);
        Assert.Equal(Verdict.Unproven, Plan(state, Host() with { HasSmcccFilter = null }).Verdict);
        Assert.Equal(Verdict.Yes, Plan(Machine(), Host() with { HasSmcccFilter = false }).Verdict);
    }

    [Fact]
    public void A_handler_that_the_destination_lacks_is_refused_by_name()
    {
        var state = Machine().WithVm(vm => vm with { Handlers = ["psci", "sdei"] }) with { Handlers = [new HandlerState("sdei", 1, [1])] };
        var host = Host() with { Handlers = ["psci"] };
        Assert.Equal("handler sdei", Plan(state, host).Only(FindingCode.HandlerMissing).Subject);
        var both = Plan(state, host with { Handlers = ["psci", "sdei"] });
        Assert.Equal(Verdict.Yes, both.Verdict);
        Assert.Single(both.Steps.OfType<RestoreHandler>());
    }

    [Fact]
    public void An_unknown_required_attribute_is_refused_and_an_optional_one_carried_unset()
    {
        var state = Machine().WithVm(vm => vm with { Attributes = [Attribute("vendor.thing", true), Attribute("note.owner", false)] });
        Assert.Equal("attribute vendor.thing", Assert.Single(Plan(state, Host()).Findings).Subject);
        var plan = Plan(state, Host() with { KnownAttributes = ["vendor.thing"] });
        Assert.Equal(Verdict.Yes, plan.Verdict);
        Assert.Equal("vendor.thing", Assert.Single(plan.Steps.OfType<SetAttribute>()).Attribute.Name);
    }

    [Fact]
    public void What_cannot_be_described_is_refused_by_name()
    {
        var plan = Planner.Plan(Machine() with { Devices = [new DeviceState("xyz", []), new DeviceState("its", [])] }, Host(),
            new PlanOptions { Undescribable = ["vfio 0000:01:00.0"], Accept = new HashSet<FindingCode> { FindingCode.Undescribable } });
        Assert.Equal(["vfio 0000:01:00.0", "device xyz"], plan.Stopping().Select(f => f.Subject));
    }

    [Fact]
    public void Another_counter_frequency_is_unsafe_and_an_unknown_one_unproven()
    {
        Assert.Equal(Severity.Unsafe, Plan(Machine(), Host() with { CounterFrequency = 24_000_000 }).Only(FindingCode.CounterFrequency).Severity);
        Assert.Equal(Verdict.Unproven, Plan(Machine(), Host() with { CounterFrequency = 0 }).Verdict);
        var unknown = Machine() with { CounterFrequency = 0 };
        Assert.Equal(Verdict.Unproven, Plan(unknown, Host()).Verdict);
        Assert.Equal(Verdict.Yes, Planner.Plan(unknown, Host(), new(), source: Host()).Verdict);
    }

    [Fact]
    public void A_register_that_could_not_be_read_is_lossy()
    {
        var state = Machine();
        state = state with { Vcpus = [state.Vcpus[0] with { Unreadable = [new UnreadableRegister(RegisterId.System(3, 0, 1, 0, 1), 1)] }] };
        var finding = Plan(state, Host()).Only(FindingCode.Unreadable);
        Assert.Equal(("ACTLR_EL1", Severity.Lossy), (finding.Subject, finding.Severity));
        Assert.Equal(Verdict.Yes, Accepting(state, Host(), FindingCode.Unreadable).Verdict);
    }

    [Fact]
    public void A_vm_that_cannot_be_created_is_not_acceptable_by_name() =>
        Assert.Equal(Verdict.No, Accepting(Machine().WithVm(vm => vm with { Type = new VmType(52) }), Host(), FindingCode.IpaSize).Verdict);

    private static VmAttribute Attribute(string name, bool required) => new(name, AttributeType.Flag, required, []);

    private static MachineState Slots(params MemorySlot[] slots) => Machine().WithVm(vm => vm with { Memory = [.. slots] });

    private static MachineState Gic(GicDescription gic) => Machine().WithVm(vm => vm with { Gic = gic });

    private static MachineState Filter(params SmcccFilterRange[] ranges) => Machine().WithVm(vm => vm with { SmcccFilter = [.. ranges] });
}
