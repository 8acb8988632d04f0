using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Ports;

namespace Migrate.Model.Encoding.Definitions;

/// <summary>The state of a VM and its parts.</summary>
internal static class MachineStates
{
    private const int MaxDevices = 64;
    private const int MaxDeviceAttributes = 1 << 18;
    private const int MaxHandlerBytes = 1 << 20;

    public static Shape<BootIdentity> Boot { get; } = DefineBoot();

    public static Shape<VcpuEvents> Events { get; } = DefineEvents();

    public static Shape<VcpuState> Vcpu { get; } = DefineVcpu();

    public static Shape<DeviceState> Device { get; } = DefineDevice();

    public static Shape<HandlerState> Handler { get; } = DefineHandler();

    public static Shape<MachineState> State { get; } = DefineState();

    public static Shape<MachineReport> Report { get; } = DefineReport();

    private static Shape<MachineState> DefineState()
    {
        var r = new RecordShape<MachineState>("MachineState",
            "Everything of a VM but its memory: the description and what the kernel and the VMM hold of it at one moment.");
        var vm = r.Required("vm", VmDescriptions.Vm, v => v.Vm, "How to create the VM.");
        var vcpus = r.Required("vcpus", Shapes.List(Vcpu, Rules.MaxVcpus), v => v.Vcpus, "One entry a vCPU, by index.");
        var capturedOn = r.Optional("capturedOn", Shapes.Optional(Boot), v => v.CapturedOn, null,
            "The boot of the host it was captured on; absent where a foreign file does not say.");
        var devices = r.Optional("devices", Shapes.List(Device, MaxDevices), v => v.Devices, default,
            "State of devices in the kernel, in the order in which it must be written.");
        var handlers = r.Optional("handlers", Shapes.List(Handler, 32).Where(h => Rules.Repeated(h, x => x.Handler, x => $"'{x.Handler}'")),
            v => v.Handlers, default, "State of the user-space handlers.");
        var frequency = r.Optional("counterFrequency", Shapes.Hex64, v => v.CounterFrequency, 0UL,
            "CNTFRQ_EL0 of the host in Hz; absent where unknown.");
        r.Rule(v =>
        {
            if (v.Vcpus.Count != v.Vm.VcpuCount) return $"{v.Vcpus.Count} vCPU states for {v.Vm.VcpuCount} vCPUs";
            for (var i = 0; i < v.Vcpus.Count; i++)
                if (v.Vcpus[i].Index != i) return $"vCPU {v.Vcpus[i].Index} stands where vCPU {i} is due";
            return null;
        });
        return r.Build(v => new MachineState
        {
            Vm = v.Get(vm),
            Vcpus = v.Get(vcpus),
            CapturedOn = v.Get(capturedOn),
            Devices = v.Get(devices),
            Handlers = v.Get(handlers),
            CounterFrequency = v.Get(frequency),
        });
    }

    private static Shape<VcpuState> DefineVcpu()
    {
        var r = new RecordShape<VcpuState>("VcpuState", "State of one vCPU.");
        var index = r.Required("index", Rules.VcpuIndex, v => v.Index, "vCPU number, from 0.");
        var mpState = r.Optional("mpState", Shapes.Enum<MpState>(), v => v.MpState, MpState.Runnable, "Power state; absent: runnable.");
        var events = r.Optional("events", Events, v => v.Events, default, "Pending SError and external abort.");
        var registers = r.Required("registers", Registers.Set, v => v.Registers,
            "The registers in the order of KVM_GET_REG_LIST, each once.");
        var unreadable = r.Optional("unreadable", Shapes.List(Registers.Unreadable, Rules.MaxRegisters), v => v.Unreadable, default,
            "Registers that the kernel lists but would not read.");
        r.Rule(v =>
        {
            foreach (var register in v.Unreadable)
                if (v.Registers.Contains(register.Id)) return $"register {register.Id} is both readable and unreadable";
            return Rules.Repeated(v.Unreadable, u => u.Id, u => $"register {u.Id}");
        });
        return r.Build(v => new VcpuState
        {
            Index = v.Get(index),
            Registers = v.Get(registers),
            MpState = v.Get(mpState),
            Events = v.Get(events),
            Unreadable = v.Get(unreadable),
        });
    }

    private static Shape<VcpuEvents> DefineEvents()
    {
        var r = new RecordShape<VcpuEvents>("VcpuEvents", "struct kvm_vcpu_events.").OneLine();
        var pending = r.Optional("serrorPending", Shapes.Boolean, v => v.SErrorPending, false, "An SError is pending.");
        var hasEsr = r.Optional("serrorHasEsr", Shapes.Boolean, v => v.SErrorHasEsr, false, "The syndrome is valid.");
        var esr = r.Optional("serrorEsr", Shapes.Hex64, v => v.SErrorEsr, 0UL, "The syndrome.");
        var abort = r.Optional("externalDataAbortPending", Shapes.Boolean, v => v.ExternalDataAbortPending, false,
            "An external data abort is pending.");
        return r.Build(v => new VcpuEvents(v.Get(pending), v.Get(hasEsr), v.Get(esr), v.Get(abort)));
    }

    private static Shape<DeviceState> DefineDevice()
    {
        var a = new RecordShape<DeviceAttribute>("DeviceAttribute",
            "One device attribute: struct kvm_device_attr and its value.").OneLine();
        var group = a.Required("group", Shapes.UInt32, v => v.Group, "KVM_DEV_ARM_VGIC_GRP_*, of a vcpu KVM_ARM_VCPU_*_CTRL.");
        var attribute = a.Required("attribute", Shapes.Hex64, v => v.Attribute, "The attribute within the group.");
        var value = a.Required("value", Shapes.RegisterValue, v => v.Value, "The value.");
        var attributeShape = a.Build(v => new DeviceAttribute(v.Get(group), v.Get(attribute), v.Get(value)));

        var r = new RecordShape<DeviceState>("DeviceState", "State of one device in the kernel as device attributes.");
        var kind = r.Required("device", Rules.Word, v => v.Kind, "Which device: vcpu, gicv3, its.");
        var attributes = r.Required("attributes", Shapes.List(attributeShape, MaxDeviceAttributes), v => v.Attributes,
            "In the order in which they must be written.");
        return r.Build(v => new DeviceState(v.Get(kind), v.Get(attributes)));
    }

    private static Shape<HandlerState> DefineHandler()
    {
        var r = new RecordShape<HandlerState>("HandlerState", "State of a user-space handler, in that handler's own versioned encoding.");
        var handler = r.Required("handler", Rules.Word, v => v.Handler, "Its name, as in the description's handlers.");
        var version = r.Required("version", Shapes.Int32Between(1, int.MaxValue), v => v.Version, "Version of the encoding, from 1.");
        var state = r.Required("state", Shapes.Bytes(MaxHandlerBytes), v => v.State, "Opaque to everything but the handler.");
        return r.Build(v => new HandlerState(v.Get(handler), v.Get(version), v.Get(state)));
    }

    private static Shape<BootIdentity> DefineBoot()
    {
        var r = new RecordShape<BootIdentity>("BootIdentity", "One boot of one host. A profile is valid for this boot alone.");
        var bootId = r.Optional("bootId", Shapes.TextUpTo(64), v => v.BootId, "",
            "/proc/sys/kernel/random/boot_id; absent for a converted file.");
        var host = r.Optional("hostName", Shapes.TextUpTo(256), v => v.HostName, "", "The host's name for people.");
        var release = r.Optional("kernelRelease", Shapes.TextUpTo(256), v => v.KernelRelease, "", "uname -r; no rule reads it.");
        var build = r.Optional("kernelBuild", Shapes.TextUpTo(256), v => v.KernelBuild, "", "uname -v.");
        var commandLine = r.Optional("commandLine", Shapes.Text, v => v.CommandLine, "",
            "/proc/cmdline: overrides of ID registers on it change what KVM accepts.");
        var mode = r.Optional("kvmMode", Shapes.TextUpTo(32), v => v.KvmMode, "", "How KVM runs: vhe, nvhe, protected, simulated.");
        var pageSize = r.Optional("pageSize", Shapes.Int32.Where(s => s is 0 or 4096 or 16384 or 65536 ? null : $"{s} is no page size of arm64"),
            v => v.PageSize, 0, "Host page size in bytes; absent where unknown.");
        return r.Build(v => new BootIdentity
        {
            BootId = v.Get(bootId),
            HostName = v.Get(host),
            KernelRelease = v.Get(release),
            KernelBuild = v.Get(build),
            CommandLine = v.Get(commandLine),
            KvmMode = v.Get(mode),
            PageSize = v.Get(pageSize),
        });
    }

    private static Shape<MachineReport> DefineReport()
    {
        var r = new RecordShape<MachineReport>("MachineReport", "What a machine tells before a move.");
        var state = r.Required("state", State, v => v.State, "Description and current register values.");
        var undescribable = r.Optional("undescribable", Shapes.List(Shapes.TextUpTo(256), 256), v => v.Undescribable, default,
            "What cannot be described, by name: each is a refusal.");
        var pageSize = r.Required("pageSize", Rules.PageSize, v => v.PageSize, "Bytes a bit of the dirty log stands for.");
        return r.Build(v => new MachineReport { State = v.Get(state), Undescribable = v.Get(undescribable), PageSize = v.Get(pageSize) });
    }
}
