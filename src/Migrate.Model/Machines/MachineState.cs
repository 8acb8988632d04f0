using Migrate.Model.Hosts;
using Migrate.Model.Registers;

namespace Migrate.Model.Machines;

/// <summary>Everything of a VM but its memory: the description and what the kernel and the VMM hold of it at one moment.</summary>
public sealed record MachineState
{
    /// <summary>How to create the VM.</summary>
    public required VmDescription Vm { get; init; }

    /// <summary>One entry a vCPU, by index.</summary>
    public required EquatableArray<VcpuState> Vcpus { get; init; }

    /// <summary>The boot of the host it was captured on; null where a foreign file does not say.</summary>
    public BootIdentity? CapturedOn { get; init; }

    /// <summary>State of devices in the kernel (GIC, ITS), in the order in which it must be written.</summary>
    public EquatableArray<DeviceState> Devices { get; init; }

    /// <summary>State of user-space handlers (PSCI, SDEI) that the VMM implements.</summary>
    public EquatableArray<HandlerState> Handlers { get; init; }

    /// <summary>CNTFRQ_EL0 of the host in Hz; 0 where unknown. It is no KVM register: nothing refuses a difference, the guest's clock is simply wrong.</summary>
    public ulong CounterFrequency { get; init; }
}

/// <summary>KVM_GET_MP_STATE, by KVM's own numbers.</summary>
/// <remarks>Source: include/uapi/linux/kvm.h, KVM_MP_STATE_*.</remarks>
public enum MpState
{
    /// <summary>Runs.</summary>
    Runnable = 0,

    /// <summary>Powered off by PSCI.</summary>
    Stopped = 5,

    /// <summary>Waits in WFI on user space's request (SYSTEM_SUSPEND).</summary>
    Suspended = 10,
}

/// <summary>State of one vCPU.</summary>
public sealed record VcpuState
{
    /// <summary>vCPU number, from 0.</summary>
    public required int Index { get; init; }

    /// <summary>The registers, in list order.</summary>
    public required RegisterSet Registers { get; init; }

    /// <summary>Power state.</summary>
    public MpState MpState { get; init; }

    /// <summary>Pending SError and external abort.</summary>
    public VcpuEvents Events { get; init; }

    /// <summary>Registers that the kernel lists but would not read, with the errno it gave.</summary>
    public EquatableArray<UnreadableRegister> Unreadable { get; init; }
}

/// <summary>struct kvm_vcpu_events: what KVM_GET_VCPU_EVENTS returns.</summary>
/// <param name="SErrorPending">An SError is pending.</param>
/// <param name="SErrorHasEsr">The syndrome is valid.</param>
/// <param name="SErrorEsr">The syndrome.</param>
/// <param name="ExternalDataAbortPending">Never returned by KVM_GET_VCPU_EVENTS; a VMM that injected one knows.</param>
public readonly record struct VcpuEvents(bool SErrorPending, bool SErrorHasEsr, ulong SErrorEsr, bool ExternalDataAbortPending);

/// <summary>A listed register that KVM_GET_ONE_REG refused.</summary>
/// <param name="Id">Which register.</param>
/// <param name="Errno">The positive errno.</param>
public readonly record struct UnreadableRegister(RegisterId Id, int Errno);

/// <summary>State of one device in the kernel as device attributes.</summary>
/// <param name="Kind">Which device: <c>vcpu</c> (attributes of vCPU descriptors, the vCPU in bits 63:32 of each), <c>gicv3</c>, <c>its</c>.</param>
/// <param name="Attributes">In the order in which they must be written.</param>
public sealed record DeviceState(string Kind, EquatableArray<DeviceAttribute> Attributes);

/// <summary>One device attribute: struct kvm_device_attr and its value.</summary>
/// <param name="Group">KVM_DEV_ARM_VGIC_GRP_*, of <c>vcpu</c> KVM_ARM_VCPU_*_CTRL.</param>
/// <param name="Attribute">The attribute within the group.</param>
/// <param name="Value">The value.</param>
public readonly record struct DeviceAttribute(uint Group, ulong Attribute, RegisterValue Value);

/// <summary>State of a user-space handler, in that handler's own versioned encoding.</summary>
/// <param name="Handler">Its name, as in <see cref="VmDescription.Handlers"/>.</param>
/// <param name="Version">Version of the encoding, from 1.</param>
/// <param name="State">Opaque to everything but the handler.</param>
public sealed record HandlerState(string Handler, int Version, EquatableArray<byte> State);
