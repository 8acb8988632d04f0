using Migrate.Kvm.Handles;
using Migrate.Kvm.Native;
using Migrate.Model;
using Migrate.Model.Errors;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Registers;

namespace Migrate.Kvm.State;

/// <summary>Reads everything of a VM that <see cref="StateTable"/> names.</summary>
public static class KvmCapture
{
    /// <summary>Writes the pending tables of the redistributors and the tables of the ITS into guest memory.</summary>
    /// <remarks>After the vCPUs stopped, before the last dirty pages are collected: afterwards nothing writes guest memory any more.</remarks>
    /// <exception cref="KvmException">KVM refused; EBUSY: a vCPU still runs.</exception>
    public static void SaveTables(KvmMachine machine)
    {
        Command(machine.Its, GicTable.SaveItsTables, "ITS save tables");
        // Without an ITS there are no LPIs that could be pending.
        if (machine.Its is not null) Command(machine.Gic, GicTable.SavePendingTables, "GICv3 save pending tables");
    }

    /// <summary>The state of a VM whose vCPUs stand still and whose tables are saved.</summary>
    /// <param name="machine">Which.</param>
    /// <param name="host">The boot of this host, where the caller knows it.</param>
    /// <param name="counterFrequency">CNTFRQ_EL0 in Hz; 0 where unknown.</param>
    /// <exception cref="KvmException"><see cref="ErrorCode.Unsupported"/>: the VM has what no capture can carry, by name (<see cref="KvmMachine.Undescribable"/>).
    /// KVM refused something that it must give; a register that it lists and does not read is part of the state.</exception>
    public static MachineState Capture(KvmMachine machine, BootIdentity? host = null, ulong counterFrequency = 0)
    {
        Demand(machine.Undescribable);
        var context = new CaptureContext(machine);
        foreach (var part in StateTable.Parts) part.Capture?.Invoke(context);
        var state = context.State();
        Demand(StateTable.WithoutRestore(state));
        return state with { CapturedOn = host, CounterFrequency = counterFrequency };
    }

    /// <summary>What one vCPU lists and reads now. KVM lets it wait while the vCPU is in the guest.</summary>
    /// <exception cref="KvmException">KVM does not list its registers.</exception>
    internal static VcpuState Registers(KvmVcpu vcpu)
    {
        var registers = new List<Register>();
        var unreadable = new List<UnreadableRegister>();
        foreach (var id in vcpu.ListRegisters())
        {
            var errno = vcpu.TryGet(id, out var value);
            if (errno == 0) registers.Add(new Register(id, value));
            else unreadable.Add(new UnreadableRegister(id, errno));
        }
        return new VcpuState { Index = vcpu.Index, Registers = new RegisterSet(registers), Unreadable = unreadable.ToEquatableArray() };
    }

    /// <summary>Nothing is lost silently: what cannot be carried ends the capture.</summary>
    private static void Demand(IReadOnlyList<string> lost)
    {
        if (lost.Count == 0) return;
        throw new KvmException(ErrorCode.Unsupported, $"the VM cannot be captured: {string.Join("; ", lost)} cannot be carried")
        {
            Remedy = "take it from the VM, or create the VM without it",
        };
    }

    private static void Command(KvmDevice? device, (uint Group, ulong Attribute) command, string what)
    {
        if (device is null) return;
        var errno = device.TrySetAttribute(command.Group, command.Attribute, []);
        if (errno != 0) throw new KvmException(Ioctls.SetDeviceAttribute.Name, errno, what);
    }
}

/// <summary>A capture on its way through the table.</summary>
internal sealed class CaptureContext(KvmMachine machine)
{
    private static readonly RegisterId Mpidr = RegisterId.System(3, 0, 0, 0, 5);

    private readonly Dictionary<int, VcpuState> _vcpus = [];
    private readonly List<DeviceState> _devices = [];
    private HandlerState[] _handlers = [];

    /// <summary>What was read.</summary>
    public MachineState State() => new()
    {
        Vm = machine.Description,
        Vcpus = _vcpus.Values.OrderBy(v => v.Index).ToEquatableArray(),
        Devices = _devices.ToEquatableArray(),
        Handlers = _handlers.ToEquatableArray(),
    };

    /// <summary>Every register that each vCPU lists.</summary>
    public void Registers()
    {
        foreach (var (index, vcpu) in machine.Vcpus) _vcpus[index] = KvmCapture.Registers(vcpu);
    }

    /// <summary>Attributes of vCPUs, GIC and ITS, in the order of their table.</summary>
    public void Devices()
    {
        var geometry = Geometry();
        foreach (var part in StateTable.Devices)
        {
            IAttributeSource? source = part.Kind switch
            {
                "vcpu" => new VcpuSource(machine),
                "gicv3" => machine.Gic is null ? null : new DeviceSource(machine.Gic),
                "its" => machine.Its is null ? null : new DeviceSource(machine.Its),
                _ => throw new InvalidOperationException($"nothing is known of {part.Kind}"),
            };
            if (source is null) continue;
            var attributes = AttributeCapture.Read(source, part.Blocks, geometry, part.Kind).ToEquatableArray();
            if (attributes.Count != 0) _devices.Add(new DeviceState(part.Kind, attributes));
        }
    }

    /// <summary>What lives in this process.</summary>
    public void Handlers() => _handlers = [.. machine.Handlers.Capture()];

    /// <summary>Pending SError and abort of each vCPU.</summary>
    public void Events()
    {
        foreach (var (index, vcpu) in machine.Vcpus)
        {
            KvmHandle.Check(vcpu.TryGetEvents(out var events), Ioctls.GetVcpuEvents, vcpu.Subject);
            _vcpus[index] = _vcpus[index] with { Events = events };
        }
    }

    /// <summary>Power state of each vCPU.</summary>
    public void PowerStates()
    {
        foreach (var (index, vcpu) in machine.Vcpus)
        {
            KvmHandle.Check(vcpu.TryGetMpState(out var state), Ioctls.GetMpState, vcpu.Subject);
            if (!Enum.IsDefined(state)) throw new KvmException(ErrorCode.Unsupported, $"{vcpu.Subject}: KVM_GET_MP_STATE answers {(int)state}");
            _vcpus[index] = _vcpus[index] with { MpState = state };
        }
    }

    private DeviceGeometry Geometry()
    {
        var interrupts = 0u;
        if (machine.Gic is { } gic)
            KvmHandle.Check(gic.TryGetAttribute32(VgicGroup.Interrupts, 0, out interrupts), Ioctls.GetDeviceAttribute, "GICv3 number of interrupts");
        var places = machine.Vcpus.Values.Select(vcpu => new VcpuPlace(vcpu.Index, VcpuPlace.AffinityOf(vcpu.Get(Mpidr).Low))).ToList();
        // With a GIC the PMU can be initialised only once it has an interrupt; a VM that ran has both.
        var pmu = machine.Features.Has(VcpuFeatures.PmuV3) && (machine.Gic is null
            || machine.Vcpus.Values.All(v => v.TryGetAttribute32(VcpuAttributes.PmuControl, VcpuAttributes.PmuInterrupt, out _) == 0));
        return new DeviceGeometry(places, (int)Math.Min(interrupts, 1024), pmu, machine.Gic is not null, machine.Features.Has(VcpuFeatures.El2));
    }

    private sealed class DeviceSource(KvmDevice device) : IAttributeSource
    {
        public int Has(uint group, ulong attribute) => device.HasAttribute(group, attribute);

        public int Get(uint group, ulong attribute, Span<byte> value) => device.TryGetAttribute(group, attribute, value);
    }

    private sealed class VcpuSource(KvmMachine machine) : IAttributeSource
    {
        public int Has(uint group, ulong attribute) =>
            Vcpu(attribute).HasAttribute(group, VcpuAttributeTable.AttributeOf(attribute));

        public int Get(uint group, ulong attribute, Span<byte> value) =>
            Vcpu(attribute).TryGetAttribute(group, VcpuAttributeTable.AttributeOf(attribute), value);

        private KvmVcpu Vcpu(ulong attribute) => machine.Vcpus[VcpuAttributeTable.VcpuOf(attribute)];
    }
}
