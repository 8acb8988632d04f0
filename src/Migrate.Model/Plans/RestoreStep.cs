using Migrate.Model.Machines;
using Migrate.Model.Registers;

namespace Migrate.Model.Plans;

/// <summary>When a step runs.</summary>
public enum StepPhase
{
    /// <summary>Before the first page: everything that is frozen at first run.</summary>
    Prepare = 1,

    /// <summary>After the source stopped: mutable state.</summary>
    Apply = 2,
}

/// <summary>One primitive act on a fresh VM. A plan is an ordered list of them; order lives nowhere else.</summary>
public abstract record RestoreStep
{
    /// <summary>When it runs.</summary>
    public abstract StepPhase Phase { get; }
}

/// <summary>KVM_CREATE_VM.</summary>
/// <param name="Type">The argument.</param>
public sealed record CreateVm(VmType Type) : RestoreStep
{
    /// <inheritdoc/>
    public override StepPhase Phase => StepPhase.Prepare;
}

/// <summary>Gives the VM an attribute of its description (a capability, a device configuration) that this build's targets know by name.</summary>
/// <param name="Attribute">Which.</param>
public sealed record SetAttribute(VmAttribute Attribute) : RestoreStep
{
    /// <inheritdoc/>
    public override StepPhase Phase => StepPhase.Prepare;
}

/// <summary>KVM_SET_USER_MEMORY_REGION over fresh memory.</summary>
/// <param name="Slot">Which.</param>
public sealed record MapMemory(MemorySlot Slot) : RestoreStep
{
    /// <inheritdoc/>
    public override StepPhase Phase => StepPhase.Prepare;
}

/// <summary>KVM_CREATE_VCPU and KVM_ARM_VCPU_INIT with the host's preferred target.</summary>
/// <param name="Vcpu">Its number.</param>
/// <param name="Features">Its features.</param>
public sealed record CreateVcpu(int Vcpu, VcpuFeatures Features) : RestoreStep
{
    /// <inheritdoc/>
    public override StepPhase Phase => StepPhase.Prepare;
}

/// <summary>Creates the interrupt controller.</summary>
/// <param name="Gic">Which, and where.</param>
public sealed record CreateGic(GicDescription Gic) : RestoreStep
{
    /// <inheritdoc/>
    public override StepPhase Phase => StepPhase.Prepare;
}

/// <summary>Gives the performance monitors what KVM does not give back (<c>pmu.name</c>, <c>pmu.counters</c>, <c>pmu.filter</c>), through the first vCPU for all.</summary>
/// <param name="Attribute">Which.</param>
public sealed record ConfigurePmu(VmAttribute Attribute) : RestoreStep
{
    /// <inheritdoc/>
    public override StepPhase Phase => StepPhase.Prepare;
}

/// <summary>KVM_ARM_VCPU_FINALIZE(SVE), after the vector lengths and before every other SVE register.</summary>
/// <param name="Vcpu">Which vCPU.</param>
public sealed record FinalizeSve(int Vcpu) : RestoreStep
{
    /// <inheritdoc/>
    public override StepPhase Phase => StepPhase.Prepare;
}

/// <summary>Installs one range of the SMCCC filter.</summary>
/// <param name="Range">The range.</param>
public sealed record InstallFilter(SmcccFilterRange Range) : RestoreStep
{
    /// <inheritdoc/>
    public override StepPhase Phase => StepPhase.Prepare;
}

/// <summary>KVM_SET_ONE_REG.</summary>
/// <param name="Vcpu">Through which vCPU.</param>
/// <param name="Id">Which register.</param>
/// <param name="Value">What is written.</param>
/// <param name="ReadsBack">What the destination must read back at the end; null where no read-back proves anything (counters).</param>
/// <param name="When">Before the first page or after the stop.</param>
/// <param name="Captured">The captured value where another is written; null when it is the captured one.</param>
/// <param name="Why">Why another value is written; empty when it is not.</param>
public sealed record WriteRegister(
    int Vcpu, RegisterId Id, RegisterValue Value, RegisterValue? ReadsBack, StepPhase When, RegisterValue? Captured = null, string Why = "") : RestoreStep
{
    /// <inheritdoc/>
    public override StepPhase Phase => When;
}

/// <summary>A captured register that is deliberately not written; a plan that lost one silently would be a bug, so leaving out is a step.</summary>
/// <param name="Vcpu">Of which vCPU.</param>
/// <param name="Id">Which register.</param>
/// <param name="Captured">Its captured value.</param>
/// <param name="Why">Why the guest cannot tell.</param>
/// <param name="When">When it would have been written.</param>
public sealed record LeaveOut(int Vcpu, RegisterId Id, RegisterValue Captured, string Why, StepPhase When) : RestoreStep
{
    /// <inheritdoc/>
    public override StepPhase Phase => When;
}

/// <summary>Writes one device's attributes in order.</summary>
/// <param name="Device">The device and its attributes.</param>
public sealed record WriteDevice(DeviceState Device) : RestoreStep
{
    /// <inheritdoc/>
    public override StepPhase Phase => StepPhase.Apply;
}

/// <summary>Gives a user-space handler its state.</summary>
/// <param name="State">The state.</param>
public sealed record RestoreHandler(HandlerState State) : RestoreStep
{
    /// <inheritdoc/>
    public override StepPhase Phase => StepPhase.Apply;
}

/// <summary>KVM_ARM_SET_COUNTER_OFFSET, so that both counters of every vCPU go on from one value.</summary>
/// <param name="GuestCounter">What the guest's counters read as at this moment.</param>
public sealed record SetCounterOffset(ulong GuestCounter) : RestoreStep
{
    /// <inheritdoc/>
    public override StepPhase Phase => StepPhase.Apply;
}

/// <summary>KVM_SET_VCPU_EVENTS: after all registers, since newer kernels commit an abort into PC and PSTATE at once.</summary>
/// <param name="Vcpu">Which vCPU.</param>
/// <param name="Events">Its events.</param>
public sealed record SetEvents(int Vcpu, VcpuEvents Events) : RestoreStep
{
    /// <inheritdoc/>
    public override StepPhase Phase => StepPhase.Apply;
}

/// <summary>KVM_SET_MP_STATE, last.</summary>
/// <param name="Vcpu">Which vCPU.</param>
/// <param name="State">Its power state.</param>
public sealed record SetMpState(int Vcpu, MpState State) : RestoreStep
{
    /// <inheritdoc/>
    public override StepPhase Phase => StepPhase.Apply;
}
