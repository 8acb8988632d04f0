using Migrate.Kvm.Vmm;
using Migrate.Model.Machines;
using Migrate.Model.Plans;

namespace Migrate.Kvm.State;

/// <summary>One part of a VM's state: the step that restores it, why it has its place, how it is captured, how the step is done.</summary>
/// <param name="Name">For people.</param>
/// <param name="Step">The kind of step; one part each.</param>
/// <param name="Why">Why it stands behind what stands before it.</param>
/// <param name="Capture">Reads it; null where KVM does not give it back and the VM's description carries it.</param>
/// <param name="Restore">Does the step on a VM that is being built.</param>
internal sealed record StatePart(
    string Name, Type Step, string Why, Action<CaptureContext>? Capture, Func<KvmTarget, RestoreStep, Model.Ports.StepAnswer> Restore);

/// <summary>What a VM's state is made of, in the order of a restore. Capture and restore both go by this table.</summary>
/// <remarks>
/// A plan brings its steps in the order of its own; registers of several places among them. That the two orders agree is a test's.
/// Sources: arch/arm64/kvm/arm.c, guest.c, sys_regs.c, hypercalls.c, vgic/vgic-init.c; Documentation/virt/kvm/api.rst.
/// </remarks>
internal static class StateTable
{
    /// <summary>The parts.</summary>
    public static IReadOnlyList<StatePart> Parts { get; } =
    [
        Part<CreateVm>("vm", "Everything else needs it.", null, (target, step) => target.Do(step)),
        Part<SetAttribute>("attributes", "MTE and writable implementation ids are EINVAL once a vCPU exists (kvm_vm_ioctl_enable_cap).",
            null, (target, step) => target.Do(step)),
        Part<MapMemory>("memory", "Stolen time must lie in a slot when its address is set (kvm_arm_pvtime_set_attr).",
            null, (target, step) => target.Do(step)),
        Part<CreateVcpu>("vcpus", "EBUSY once the GIC is initialised (kvm_arch_vcpu_precreate).", null, (target, step) => target.Do(step)),
        Part<FinalizeSve>("finalize", "After KVM_REG_ARM64_SVE_VLS, before every other SVE register and before listing registers (EPERM).",
            null, (target, step) => target.Do(step)),
        Part<CreateGic>("gic", "After every vCPU. Creating it recomputes the GIC fields of ID registers (kvm_vgic_finalize_idregs), so before those.",
            null, (target, step) => target.Do(step)),
        Part<ConfigurePmu>("pmu", "Needs vCPUs with a PMU, and is EBUSY once that is initialised; KVM does not give it back (kvm_arm_pmu_v3_set_attr).",
            null, (target, step) => target.Do(step)),
        Part<InstallFilter>("filter", "EBUSY after the first run; KVM does not give it back.", null, (target, step) => target.Do(step)),
        Part<WriteRegister>("registers", "ID registers decide which others exist, and MPIDR_EL1 addresses the GIC's: before devices. Among themselves: the plan.",
            context => context.Registers(), (target, step) => target.Do(step)),
        Part<WriteDevice>("devices", "The GIC is addressed by MPIDR_EL1; the ITS reads its tables from guest memory, which is complete only now.",
            context => context.Devices(), (target, step) => target.Do(step)),
        Part<RestoreHandler>("handlers", "User-space handlers look at a VM whose registers are there, and raise interrupts in a GIC that has its state.",
            context => context.Handlers(), (target, step) => target.Do(step)),
        Part<SetCounterOffset>("counter offset", "As late as may be, and once for the VM: guest time runs from here. KVM does not give it back.",
            null, (target, step) => target.Do(step)),
        Part<SetEvents>("events", "Newer kernels commit an abort into PC and PSTATE at once (__kvm_arm_vcpu_set_events).",
            context => context.Events(), (target, step) => target.Do(step)),
        Part<SetMpState>("power state", "Last: a vCPU that may run must be complete.", context => context.PowerStates(), (target, step) => target.Do(step)),
    ];

    /// <summary>What capture reads of the devices, in the order of their restore.</summary>
    public static IReadOnlyList<DevicePart> Devices { get; } =
    [
        new("vcpu", VcpuAttributeTable.Blocks, "Needs an initialised GIC and is fixed at first run; no device's state depends on it."),
        new("gicv3", GicTable.GicV3, "Redistributors before the ITS, which sends LPIs to them."),
        new("its", GicTable.Its, "Last: its tables name LPIs that the redistributors must take."),
    ];

    /// <summary>The block of an attribute whose write reads guest memory; null for every other attribute.</summary>
    /// <param name="kind">The device.</param>
    /// <param name="attribute">As it is written.</param>
    public static AttributeBlock? ReadingBlock(string kind, DeviceAttribute attribute)
    {
        foreach (var block in Reading)
        {
            // Bits 63:32 say of which vCPU; what is read does not depend on it.
            if (block.Kind == kind && block.Block.Group == attribute.Group && block.Attribute == (attribute.Attribute & uint.MaxValue)
                && block.Block.ReadsMemory(attribute.Value))
                return block.Block;
        }
        return null;
    }

    private static readonly (string Kind, AttributeBlock Block, ulong Attribute)[] Reading =
    [
        .. from device in Devices
           from block in device.Blocks
           where block.Reads.Length != 0
           from attribute in block.Attributes(new DeviceGeometry([new VcpuPlace(0, 0)], 32))
           select (device.Kind, block, attribute),
    ];

    /// <summary>What a state holds and no part restores, by name. A capture of it would lose it.</summary>
    public static IReadOnlyList<string> WithoutRestore(MachineState state) =>
    [
        .. state.Vm.Attributes.Where(a => AttributeTable.All.All(part => part.Name != a.Name)).Select(a => $"attribute {a.Name}"),
        .. state.Vm.Gic.Kind is GicKind.None or GicKind.GicV3 ? [] : new[] { $"interrupt controller {state.Vm.Gic.Kind}" },
        .. state.Devices.Where(d => Devices.All(part => part.Kind != d.Kind)).Select(d => $"device {d.Kind}"),
        .. state.Vm.Handlers.Concat(state.Handlers.Select(h => h.Handler)).Distinct().Where(h => HandlerTable.Find(h) is null).Select(h => $"handler {h}"),
    ];

    private static readonly Dictionary<Type, StatePart> ByStep = Parts.ToDictionary(p => p.Step);

    /// <summary>The part that a step restores; null for a step that writes nothing (<see cref="LeaveOut"/>).</summary>
    public static StatePart? Of(RestoreStep step) => ByStep.GetValueOrDefault(step.GetType());

    private static StatePart Part<T>(string name, string why, Action<CaptureContext>? capture, Func<KvmTarget, T, Model.Ports.StepAnswer> restore)
        where T : RestoreStep =>
        new(name, typeof(T), why, capture, (target, step) => restore(target, (T)step));
}

/// <summary>A device's place and its blocks of attributes.</summary>
/// <param name="Kind">As <see cref="Model.Machines.DeviceState.Kind"/>.</param>
/// <param name="Blocks">In the order of their restore.</param>
/// <param name="Why">Why it stands where it stands.</param>
internal sealed record DevicePart(string Kind, IReadOnlyList<AttributeBlock> Blocks, string Why);
