using System.Buffers.Binary;
using Migrate.Kvm.Handles;
using Migrate.Kvm.State;
using Migrate.Model.Machines;

namespace Migrate.Tests.Kvm;

/// <summary>What KVM is told is written down where it is told; what could not be told again makes a VM that is not captured.</summary>
public class VmRecordTests
{
    private readonly VmRecord _record = new(() => [("armv8_pmuv3_0", 8), ("breakpoint", 5)]);

    public static TheoryData<Capability> Capabilities => [.. Enum.GetValues<Capability>()];

    /// <summary>The detector of the whole: enabling anything leads to a restore, to a refusal, or is known to be of no consequence.</summary>
    [Theory]
    [MemberData(nameof(Capabilities))]
    public void A_capability_that_is_enabled_is_restored_or_refused_by_name(Capability capability)
    {
        _record.Enabled(capability, 1);
        var restored = _record.Attributes.All(a => AttributeTable.Find(a.Name, typeof(Migrate.Model.Plans.SetAttribute)) is not null) && _record.Attributes.Count == 1;
        var refused = _record.Undescribable.Any(u => u.Contains(capability.Name(), StringComparison.Ordinal));
        var nothing = capability is Capability.ManualDirtyLogProtect2 or Capability.ArmEagerSplitChunkSize;
        Assert.Equal(1, (restored ? 1 : 0) + (refused ? 1 : 0) + (nothing ? 1 : 0));
        if (nothing) Assert.Empty(_record.Attributes);
    }

    [Fact]
    public void A_capability_without_a_name_is_refused_by_number()
    {
        _record.Enabled((Capability)9999, 0);
        Assert.Equal(["capability cap.9999"], _record.Undescribable);
    }

    [Fact]
    public void Every_attribute_that_is_written_down_reads_as_its_type_says()
    {
        foreach (var capability in Enum.GetValues<Capability>()) _record.Enabled(capability, 65536);
        _record.CounterOffsetSet();
        _record.VcpuAttributeSet(0, 2, [0x11, 0x00, 0x01, 0x00, 0, 0, 0, 0]);
        _record.VcpuAttributeSet(0, 3, Bytes(8));
        _record.VcpuAttributeSet(0, 4, Bytes(3));
        Assert.All(_record.Attributes, a => Assert.Null(VmAttributes.Problem(a)));
        // All that a planner may be told of but the conduit, which KVM is not told: a name that nobody writes down would be a row without a caller.
        Assert.Equal(VmAttributes.Known.Keys.Except([VmAttributes.Conduit]).Order(), _record.Attributes.Select(a => a.Name).Where(VmAttributes.Known.ContainsKey).Order());
    }

    [Fact]
    public void The_ring_is_optional_and_what_the_guest_sees_is_required()
    {
        _record.Enabled(Capability.DirtyLogRingAcqRel, 65536);
        _record.Enabled(Capability.ArmSystemSuspend, 0);
        Assert.Equal([("cap.dirty-log-ring-acq-rel", false, 65536UL), ("cap.arm-system-suspend", true, 0UL)],
            _record.Attributes.Select(a => (a.Name, a.Required, VmAttributes.NumberOf(a))));
    }

    [Fact]
    public void Memory_tags_cannot_be_captured()
    {
        _record.Enabled(Capability.ArmMte, 0);
        Assert.Equal("memory tags (cap.arm-mte)", Assert.Single(_record.Undescribable));
        Assert.Equal(VmAttributes.MemoryTags, Assert.Single(_record.Attributes).Name);
    }

    [Theory]
    [InlineData(DeviceKind.GicV2, "device GicV2")]
    [InlineData(DeviceKind.GicV5, "device GicV5")]
    [InlineData(DeviceKind.GicV3, null)]
    [InlineData(DeviceKind.Its, null)]
    public void A_device_without_a_table_cannot_be_captured(DeviceKind kind, string? name)
    {
        _record.Created(kind);
        Assert.Equal(name, _record.Undescribable.SingleOrDefault());
    }

    [Fact]
    public void A_debugged_vcpu_cannot_be_captured_until_its_debugger_lets_go()
    {
        _record.GuestDebugSet(2, 3);
        Assert.Equal(["guest debugging of vCPU 2 (KVM_SET_GUEST_DEBUG)"], _record.Undescribable);
        _record.GuestDebugSet(2, 0);
        Assert.Empty(_record.Undescribable);
    }

    [Fact]
    public void Filters_are_written_down_range_by_range_in_order()
    {
        _record.VmAttributeSet(0, 0, Bytes(0x8400_0020, 16, 2));
        _record.VmAttributeSet(0, 0, Bytes(0x8600_0000, 1, 1));
        Assert.Equal([new(0x8400_0020, 16, SmcccAction.ForwardToUser), new(0x8600_0000, 1, SmcccAction.Deny)], _record.Filter);

        _record.VcpuAttributeSet(0, 2, [0x00, 0x00, 0x14, 0x00, 1, 0, 0, 0]);
        _record.VcpuAttributeSet(0, 2, [0x11, 0x00, 0x01, 0x00, 0, 0, 0, 0]);
        var filter = VmAttributes.FilterOf(_record.Attributes.Single(a => a.Name == VmAttributes.PmuFilter));
        Assert.Equal([new(0, 0x14, PmuFilterAction.Deny), new(0x11, 1, PmuFilterAction.Allow)], filter);
    }

    [Fact]
    public void A_pmu_is_written_down_by_its_name_and_choosing_it_gives_all_counters_back()
    {
        _record.VcpuAttributeSet(0, 4, Bytes(3));
        _record.VcpuAttributeSet(0, 3, Bytes(8));
        Assert.Equal("armv8_pmuv3_0", VmAttributes.TextOf(Assert.Single(_record.Attributes)));
        Assert.Empty(_record.Undescribable);
        _record.VcpuAttributeSet(0, 3, Bytes(77));
        Assert.StartsWith("PMU 77", Assert.Single(_record.Undescribable));
    }

    [Fact]
    public void Attributes_that_KVM_gives_back_are_not_written_down_and_unknown_ones_are_refused()
    {
        foreach (var (group, attribute) in new (uint, ulong)[] { (0, 0), (0, 1), (1, 0), (1, 1), (1, 2), (1, 3), (2, 0) }) _record.VcpuAttributeSet(group, attribute, Bytes(27));
        Assert.Empty(_record.Attributes);
        Assert.Empty(_record.Undescribable);
        _record.VcpuAttributeSet(0, 5, Bytes(1));
        _record.VmAttributeSet(0, 1, Bytes(1));
        Assert.Equal(["vCPU attribute 0/5", "VM attribute 0/1"], _record.Undescribable);
    }

    private static byte[] Bytes(params uint[] words)
    {
        var bytes = new byte[64];
        for (var i = 0; i < words.Length; i++) BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(i * 4), words[i]);
        return bytes;
    }
}
