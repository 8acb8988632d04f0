using Migrate.Kvm;
using Migrate.Kvm.State;
using Migrate.Model.Machines;
using Migrate.Model.Registers;

namespace Migrate.Tests.Kvm;

/// <summary>Order and content of the GIC's and the vCPUs' attributes, read from a table instead of a kernel.</summary>
public class DeviceTableTests
{
    private static readonly DeviceGeometry Two = new([new(0, 0), new(1, 0x0100_0003)], Interrupts: 96, HasPmu: true);

    /// <summary>What must be written before what; each is a rule of the kernel, stated apart from the table.</summary>
    private static readonly (string First, string Then)[] Rules =
    [
        ("GICD_IIDR", "GICR_PROPBASER"), ("GICR_PROPBASER", "GICR_CTLR"), ("GICR_PENDBASER", "GICR_CTLR"),
        ("GICR_ICENABLER0", "GICR_ISENABLER0"), ("GICD_ICENABLER", "GICD_ISENABLER"), ("GICD_IROUTER", "GICD_ISPENDR"),
        ("GICD_CTLR", "GICR_CTLR"), ("GICD_CTLR", "GICR_ISPENDR0"), ("GICD_CTLR", "GICD_ISPENDR"), ("GICD_CTLR", "line level"),
        ("GICD_ISPENDR", "line level"), ("line level", "ICC_SRE_EL1"), ("ICC_CTLR_EL1", "ICC_AP1R_EL1"), ("ICC_CTLR_EL1", "ICC_BPR1_EL1"),
        ("GITS_CBASER", "GITS_CREADR"), ("GITS_CBASER", "GITS_CWRITER"), ("GITS_IIDR", "restore tables"), ("GITS_BASER", "restore tables"),
        ("restore tables", "GITS_CTLR"), ("PMU interrupt", "PMU init"),
    ];

    [Fact]
    public void Blocks_stand_in_the_order_that_the_kernel_asks_for()
    {
        var all = StateTable.Devices.SelectMany(d => d.Blocks).Select(b => b.Name).ToList();
        Assert.Equal(all.Count, all.Distinct().Count());
        Assert.All(Rules, rule => Assert.True(
            all.IndexOf(rule.First) >= 0 && all.IndexOf(rule.First) < all.IndexOf(rule.Then), $"{rule.First} before {rule.Then}"));
    }

    [Fact]
    public void Registers_that_read_as_constants_are_not_captured()
    {
        var offsets = GicTable.GicV3.SelectMany(b => b.Attributes(Two).Select(a => (b.Group, Offset: (uint)a))).ToHashSet();
        // GICD_TYPER, GICD_STATUSR, GICR_STATUSR, GICR_WAKER, GICR_ICFGR0: arm-vgic-v3.rst and vgic-mmio-v3.c.
        (uint, uint)[] constant = [(1, 0x4), (1, 0x10), (5, 0x10), (5, 0x14), (5, 0x10c00)];
        Assert.All(constant, c => Assert.DoesNotContain(c, offsets));
        Assert.Contains((1u, 0u), offsets);
    }

    [Fact]
    public void Per_vcpu_attributes_carry_the_affinity_of_every_vcpu()
    {
        var control = GicTable.GicV3.Single(b => b.Name == "GICR_CTLR");
        Assert.Equal([0, 0x0100_0003UL << 32], control.Attributes(Two));
    }

    /// <summary>arm-vgic-its.rst: group 4 attribute 2 restores tables; group 5 are redistributors, group 8 the ITS.</summary>
    [Theory]
    [InlineData("its", 4u, 2UL, 0UL, "restore tables")]
    [InlineData("its", 8u, 0UL, 1UL, "GITS_CTLR")]
    [InlineData("its", 8u, 0UL, 0x8000_0000UL, null)]
    [InlineData("its", 8u, 0x88UL, 1UL, null)]
    [InlineData("gicv3", 5u, 0UL, 1UL, "GICR_CTLR")]
    [InlineData("gicv3", 5u, 0x0100_0003UL << 32, 1UL, "GICR_CTLR")]
    [InlineData("gicv3", 5u, 0UL, 0UL, null)]
    [InlineData("gicv3", 1u, 0UL, 1UL, null)]
    [InlineData("vcpu", 5u, 0UL, 1UL, null)]
    public void What_reads_guest_memory_is_known_by_attribute_and_value(string kind, uint group, ulong attribute, ulong value, string? block) =>
        Assert.Equal(block, StateTable.ReadingBlock(kind, new DeviceAttribute(group, attribute, new RegisterValue(value)))?.Name);

    [Theory]
    [InlineData(0x8000_0000UL, 0u)]
    [InlineData(0x8000_0003UL, 0x3u)]
    [InlineData(0x0000_0001_8002_0304UL, 0x0102_0304u)]
    public void An_affinity_is_the_four_fields_of_an_MPIDR_side_by_side(ulong mpidr, uint affinity) =>
        Assert.Equal(affinity, VcpuPlace.AffinityOf(mpidr));

    [Fact]
    public void Every_shared_interrupt_is_covered_and_no_more()
    {
        // 96 INTIDs: 64 shared, in blocks of 32, 4 a priority register, 16 a configuration register, 8 bytes a route in two halves.
        Assert.Equal(2, Count("GICD_IGROUPR"));
        Assert.Equal(16, Count("GICD_IPRIORITYR"));
        Assert.Equal(4, Count("GICD_ICFGR"));
        Assert.Equal(128, Count("GICD_IROUTER"));
        Assert.Equal([0x6100UL, 0x6104, 0x6108], Attributes("GICD_IROUTER").Take(3));
        // Two vCPUs' private lines, then two blocks of shared ones.
        Assert.Equal([0, 0x0100_0003UL << 32, 32, 64], Attributes("line level"));
        Assert.Empty(GicTable.GicV3.Single(b => b.Name == "GICD_IGROUPR").Attributes(Two with { Interrupts = 32 }));
    }

    [Fact]
    public void What_is_not_enabled_is_disabled_before_the_rest_is_enabled()
    {
        // SGI 3 of vCPU 0 is off and everything else is as after a reset.
        var fake = new FakeAttributes { [(5, 0x10100)] = 0xfff7 };
        var written = Capture(fake, GicTable.GicV3).Where(a => (uint)a.Attribute is 0x10180 or 0x10100 && a.Attribute >> 32 == 0).ToList();
        Assert.Equal(
            [(0x10180UL, 0xffff_0008UL), (0x10100, 0xfff7)],
            written.Select(a => (a.Attribute, a.Value.Low)));
    }

    [Theory]
    [InlineData(5u, 0x70UL)]
    [InlineData(5u, 0x78UL)]
    public void A_base_register_that_was_never_written_is_not_written(uint group, ulong attribute)
    {
        Assert.DoesNotContain(Capture(new FakeAttributes(), GicTable.GicV3), a => a.Group == group && (uint)a.Attribute == attribute);
        var written = new FakeAttributes { [(group, attribute)] = 0x180 };
        Assert.Single(Capture(written, GicTable.GicV3), a => a.Group == group && (uint)a.Attribute == attribute);
    }

    [Fact]
    public void Attributes_that_a_kernel_does_not_have_are_left_out()
    {
        var fake = new FakeAttributes { Absent = [(1, 0xc)] };
        var captured = Capture(fake, GicTable.GicV3).Select(a => (a.Group, a.Attribute)).ToList();
        Assert.DoesNotContain((1u, 0xcUL), captured);
        Assert.Contains((1u, 0x8UL), captured);
    }

    [Fact]
    public void Active_priority_registers_beyond_the_hosts_are_left_out_and_other_refusals_are_errors()
    {
        // ICC_AP1R1_EL1: op0 3, op1 0, CRn 12, CRm 9, op2 1.
        var fake = new FakeAttributes { Refused = { [(6, 0xc649)] = 22 } };
        Assert.DoesNotContain(Capture(fake, GicTable.GicV3), a => a.Group == 6 && a.Attribute == 0xc649);

        // ICC_PMR_EL1 is no such register.
        fake = new FakeAttributes { Refused = { [(6, 0xc230)] = 16 } };
        var error = Assert.Throws<KvmException>(() => Capture(fake, GicTable.GicV3));
        Assert.Equal("KVM_GET_DEVICE_ATTR gic ICC_PMR_EL1 (group 6, attribute 0xc230): EBUSY (Device or resource busy)", error.Message);
    }

    [Fact]
    public void The_tables_of_the_ITS_are_restored_by_a_command_with_no_value_to_read()
    {
        var fake = new FakeAttributes { Refused = { [(4, 2)] = 22 } };
        var command = Assert.Single(Capture(fake, GicTable.Its), a => a.Group == 4);
        Assert.Equal((2UL, 0UL), (command.Attribute, command.Value.Low));
    }

    [Fact]
    public void Stolen_time_that_was_never_given_an_address_is_not_carried()
    {
        var fake = new FakeAttributes { [(2, 0)] = ulong.MaxValue, [(2, 1UL << 32)] = 0x4000_1000 };
        var carried = Assert.Single(Capture(fake, VcpuAttributeTable.Blocks), a => a.Group == 2);
        Assert.Equal((1, 0UL, 0x4000_1000UL),
            (VcpuAttributeTable.VcpuOf(carried.Attribute), VcpuAttributeTable.AttributeOf(carried.Attribute), carried.Value.Low));
    }

    [Fact]
    public void Without_performance_monitors_or_GIC_nothing_is_said_of_their_interrupts()
    {
        var captured = AttributeCapture.Read(new FakeAttributes(), VcpuAttributeTable.Blocks, Two with { HasPmu = false, HasGic = false }, "vcpu").ToList();
        Assert.DoesNotContain(captured, a => a.Group is 0 or 1);
        Assert.Contains(Capture(new FakeAttributes(), VcpuAttributeTable.Blocks), a => a.Group == 0);
    }

    private static List<DeviceAttribute> Capture(IAttributeSource source, IReadOnlyList<AttributeBlock> blocks) =>
        [.. AttributeCapture.Read(source, blocks, Two, "gic")];

    private static IEnumerable<ulong> Attributes(string block) => GicTable.GicV3.Single(b => b.Name == block).Attributes(Two);

    private static int Count(string block) => Attributes(block).Count();

    /// <summary>A device that has every attribute, all zero, but for what is said otherwise.</summary>
    private sealed class FakeAttributes : IAttributeSource
    {
        private readonly Dictionary<(uint, ulong), ulong> _values = [];

        public HashSet<(uint, ulong)> Absent { get; init; } = [];

        public Dictionary<(uint, ulong), int> Refused { get; } = [];

        public ulong this[(uint, ulong) key]
        {
            set => _values[key] = value;
        }

        public int Has(uint group, ulong attribute) => Absent.Contains((group, attribute)) ? 6 : 0;

        public int Get(uint group, ulong attribute, Span<byte> value)
        {
            if (Refused.TryGetValue((group, attribute), out var errno)) return errno;
            new RegisterValue(_values.GetValueOrDefault((group, attribute)) & (value.Length == 8 ? ulong.MaxValue : uint.MaxValue), value.Length).CopyTo(value);
            return 0;
        }
    }
}
