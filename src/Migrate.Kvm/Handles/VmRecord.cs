using System.Buffers.Binary;
using Migrate.Kvm.Native;
using Migrate.Linux.Processes;
using Migrate.Model.Machines;

namespace Migrate.Kvm.Handles;

/// <summary>What one VM's KVM was told through the handles here and does not give back. It is written down where it is told, so that nothing goes past it.</summary>
/// <param name="pmus">The host's event sources by name; asked when a PMU is chosen by its number.</param>
internal sealed class VmRecord(Func<IReadOnlyList<(string Name, int Type)>> pmus)
{
    /// <summary>Capabilities that change how a host does its work and nothing that the guest, or a destination, could tell.</summary>
    private static readonly Capability[] Immaterial = [Capability.ManualDirtyLogProtect2, Capability.ArmEagerSplitChunkSize];

    /// <summary>Attributes of vCPUs that KVM gives back, or that are commands which every restore gives.</summary>
    private static readonly (uint Group, ulong Attribute)[] Readable =
    [
        (VcpuAttributes.PmuControl, VcpuAttributes.PmuInterrupt), (VcpuAttributes.PmuControl, VcpuAttributes.PmuInit),
        (VcpuAttributes.TimerControl, VcpuAttributes.TimerVirtual), (VcpuAttributes.TimerControl, VcpuAttributes.TimerPhysical),
        (VcpuAttributes.TimerControl, VcpuAttributes.TimerHypervisorVirtual), (VcpuAttributes.TimerControl, VcpuAttributes.TimerHypervisorPhysical),
        (VcpuAttributes.StolenTimeControl, VcpuAttributes.StolenTimeAddress),
    ];

    private readonly List<VmAttribute> _attributes = [];
    private readonly List<PmuFilterRange> _events = [];
    private readonly List<SmcccFilterRange> _filter = [];
    private readonly List<string> _undescribable = [];
    private readonly SortedSet<int> _debugged = [];

    public VmRecord()
        : this(() => PerfDevices.List())
    {
    }

    /// <summary>What a destination must be told again.</summary>
    public IReadOnlyList<VmAttribute> Attributes => _attributes;

    /// <summary>The SMCCC filter in the order of its installation.</summary>
    public IReadOnlyList<SmcccFilterRange> Filter => _filter;

    /// <summary>What the VM has and no capture can carry, by name.</summary>
    public IReadOnlyList<string> Undescribable =>
        [.. _undescribable.Distinct(), .. _debugged.Select(vcpu => $"guest debugging of vCPU {vcpu} (KVM_SET_GUEST_DEBUG)")];

    /// <summary>KVM_ENABLE_CAP succeeded.</summary>
    public void Enabled(Capability capability, ulong argument)
    {
        if (Immaterial.Contains(capability)) return;
        var name = VmAttributes.CapabilityPrefix + (Enum.IsDefined(capability) ? capability.Name() : $"{(int)capability}");
        if (name == VmAttributes.MemoryTags) _undescribable.Add($"memory tags ({name})");
        else if (!VmAttributes.Known.ContainsKey(name)) _undescribable.Add($"capability {name}");
        // How dirty pages are logged is the destination's own affair.
        var required = capability is not (Capability.DirtyLogRingAcqRel or Capability.DirtyLogRingWithBitmap);
        var isNumber = VmAttributes.Known.TryGetValue(name, out var type) ? type == AttributeType.Number : argument != 0;
        Put(isNumber ? VmAttributes.Number(name, argument, required) : VmAttributes.Flag(name, required));
    }

    /// <summary>KVM_CREATE_DEVICE succeeded.</summary>
    public void Created(DeviceKind kind)
    {
        if (kind is not (DeviceKind.GicV3 or DeviceKind.Its or DeviceKind.StolenTime)) _undescribable.Add($"device {kind}");
    }

    /// <summary>KVM_ARM_SET_COUNTER_OFFSET succeeded.</summary>
    public void CounterOffsetSet() => Put(VmAttributes.Flag(VmAttributes.CounterOffset));

    /// <summary>KVM_SET_GUEST_DEBUG succeeded.</summary>
    public void GuestDebugSet(int vcpu, uint control)
    {
        if ((control & GuestDebugControl.Enable) != 0) _debugged.Add(vcpu);
        else _debugged.Remove(vcpu);
    }

    /// <summary>KVM_SET_DEVICE_ATTR on the VM succeeded.</summary>
    public void VmAttributeSet(uint group, ulong attribute, ReadOnlySpan<byte> value)
    {
        if ((group, attribute) != (VmControl.SmcccControl, VmControl.SmcccFilter))
            _undescribable.Add($"VM attribute {group}/{attribute}");
        else
            _filter.Add(new SmcccFilterRange(
                BinaryPrimitives.ReadUInt32LittleEndian(value), BinaryPrimitives.ReadUInt32LittleEndian(value[4..]), (SmcccAction)value[8]));
    }

    /// <summary>KVM_SET_DEVICE_ATTR on a vCPU succeeded.</summary>
    public void VcpuAttributeSet(uint group, ulong attribute, ReadOnlySpan<byte> value)
    {
        if (Readable.Contains((group, attribute))) return;
        switch (group == VcpuAttributes.PmuControl ? attribute : ulong.MaxValue)
        {
            case VcpuAttributes.PmuFilter:
                _events.Add(PmuFilterRange.Read(value));
                Put(VmAttributes.Filter(_events));
                break;
            case VcpuAttributes.PmuSetPmu:
                Choose(BinaryPrimitives.ReadInt32LittleEndian(value));
                break;
            case VcpuAttributes.PmuSetCounters:
                Put(VmAttributes.Number(VmAttributes.PmuCounters, BinaryPrimitives.ReadUInt32LittleEndian(value)));
                break;
            default:
                _undescribable.Add($"vCPU attribute {group}/{attribute}");
                break;
        }
    }

    private void Choose(int type)
    {
        // Choosing a PMU gives the guest all of its counters again (kvm_arm_set_pmu).
        _attributes.RemoveAll(a => a.Name is VmAttributes.PmuCounters);
        foreach (var pmu in pmus())
        {
            if (pmu.Type != type) continue;
            Put(VmAttributes.Text(VmAttributes.PmuName, pmu.Name));
            return;
        }
        _undescribable.Add($"PMU {type}, which {PerfDevices.DefaultPath} does not name");
    }

    private void Put(VmAttribute attribute)
    {
        var at = _attributes.FindIndex(a => a.Name == attribute.Name);
        if (at < 0) _attributes.Add(attribute);
        else _attributes[at] = attribute;
    }
}
