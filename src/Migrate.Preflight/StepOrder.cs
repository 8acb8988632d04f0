using Migrate.Model.Hosts;
using Migrate.Model.Plans;
using Migrate.Model.Registers;

namespace Migrate.Preflight;

/// <summary>The places in which steps are done, first to last.</summary>
internal enum StepPlace
{
    Vm, Attributes, Memory, Vcpus, SveLengths, FinalizeSve, Gic, Pmu, Identification, Filter, Firmware, Frozen,
    PmuControl, System, Core, ProcessorState, Vector, Devices, Handlers, Counters, Events, PowerState,
}

/// <summary>The order of a restore, with the reason for each place. Order lives here and in the plans made from it, nowhere else.</summary>
/// <remarks>Sources: Linux arch/arm64/kvm arm.c, guest.c, sys_regs.c, hypercalls.c, vgic/; Documentation/virt/kvm/devices/arm-vgic*.rst.</remarks>
internal static class StepOrder
{
    /// <summary>Every place, its phase and why nothing after it may come earlier.</summary>
    public static IReadOnlyList<(StepPlace Place, StepPhase Phase, string Why)> Places { get; } =
    [
        (StepPlace.Vm, StepPhase.Prepare, "Everything else needs it."),
        (StepPlace.Attributes, StepPhase.Prepare, "MTE and writable implementation ids are EINVAL once a vCPU exists (kvm_vm_ioctl_enable_cap)."),
        (StepPlace.Memory, StepPhase.Prepare, "Stolen time must lie in a slot when its address is set; tags are EBUSY once a slot logs dirty pages."),
        (StepPlace.Vcpus, StepPhase.Prepare, "EBUSY once the GIC is initialised (kvm_arch_vcpu_precreate)."),
        (StepPlace.SveLengths, StepPhase.Prepare, "EPERM once SVE is finalized."),
        (StepPlace.FinalizeSve, StepPhase.Prepare, "Listing registers and every other SVE register are EPERM before it."),
        (StepPlace.Gic, StepPhase.Prepare, "Creating it recomputes the GIC fields of ID registers (kvm_vgic_finalize_idregs): created first, they read back as written."),
        (StepPlace.Pmu, StepPhase.Prepare,
            "Needs vCPUs, EBUSY once the PMU is initialised or a vCPU ran; choosing one resets its number of counters, so before PMCR_EL0 (kvm_arm_set_pmu)."),
        (StepPlace.Identification, StepPhase.Prepare,
            "Frozen at first run; ID fields decide which registers exist, ID_AA64PFR1.SSBS which WORKAROUND_2 is taken; MPIDR addresses redistributors."),
        (StepPlace.Filter, StepPhase.Prepare, "EBUSY after first run."),
        (StepPlace.Firmware, StepPhase.Prepare, "Bitmaps are EBUSY after first run; levels are judged by the ID registers already written."),
        (StepPlace.Frozen, StepPhase.Prepare, "Whatever else is frozen at first run or belongs to the VM."),
        (StepPlace.PmuControl, StepPhase.Apply, "PMCR_EL0.N decides which bits of the counter masks stick, and PMINTENSET_EL1 is listed before it."),
        (StepPlace.System, StepPhase.Apply, "Mutable system registers, in list order."),
        (StepPlace.Core, StepPhase.Apply, "General registers."),
        (StepPlace.ProcessorState, StepPhase.Apply, "Last of core: a 32-bit PSTATE makes the kernel truncate general registers (set_core_reg)."),
        (StepPlace.Vector, StepPhase.Apply, "SVE data, after finalize."),
        (StepPlace.Devices, StepPhase.Apply, "The ITS restores its tables from guest memory, which is complete only now."),
        (StepPlace.Handlers, StepPhase.Apply, "User-space handlers look at a VM whose registers are there."),
        (StepPlace.Counters, StepPhase.Apply, "As late as possible: guest time runs from here."),
        (StepPlace.Events, StepPhase.Apply, "Newer kernels commit an abort into PC and PSTATE at once."),
        (StepPlace.PowerState, StepPhase.Apply, "Last: a vCPU that may run must be complete."),
    ];

    /// <summary>The phase of a place.</summary>
    public static StepPhase PhaseOf(StepPlace place) => Places[(int)place].Phase;

    /// <summary>The place of a register write; what the destination says about it decides where no architectural reason does.</summary>
    public static StepPlace PlaceOf(RegisterId id, RegisterAcceptance? there)
    {
        if (KnownRegisters.IsCounter(id)) return StepPlace.Counters;
        if (id == KnownRegisters.SveLengths) return StepPlace.SveLengths;
        if (id == KnownRegisters.Pmcr) return StepPlace.PmuControl;
        if (KnownRegisters.IsIdentification(id) || id.Class == RegisterClass.Demux) return StepPlace.Identification;
        switch (id.Class)
        {
            case RegisterClass.Firmware or RegisterClass.FirmwareBitmap:
                return StepPlace.Firmware;
            case RegisterClass.Core:
                return id == KnownRegisters.Pstate ? StepPlace.ProcessorState : StepPlace.Core;
            case RegisterClass.Sve:
                return StepPlace.Vector;
        }
        if (there is null) return StepPlace.System;
        if (there.Stored.Volatile) return StepPlace.Counters;
        return there.FrozenAfterRun || there.Scope == RegisterScope.Vm ? StepPlace.Frozen : StepPlace.System;
    }
}
