using Migrate.Model.Machines;

namespace Migrate.Kvm.Vmm.Calls;

/// <summary>What a call handler sees and changes of a vCPU, on the vCPU's own thread while it is outside of the guest.</summary>
internal interface ICallingVcpu
{
    /// <summary>Its number.</summary>
    int Index { get; }

    /// <summary>X0 to X30.</summary>
    ulong this[int register] { get; set; }

    /// <summary>The next instruction.</summary>
    ulong Pc { get; set; }

    /// <summary>SPSR format.</summary>
    ulong Pstate { get; set; }

    /// <summary>Where an exception to EL1 came from: ELR_EL1.</summary>
    ulong ExceptionLink { set; }

    /// <summary>PSTATE before an exception to EL1: SPSR_EL1.</summary>
    ulong SavedPstate { set; }

    /// <summary>KVM's word for its power.</summary>
    MpState MpState { get; set; }

    /// <summary>Puts every register back to what a new vCPU of this VM has, those apart that say what it is.</summary>
    void Reset();
}

/// <summary>What a handler may ask of the other vCPUs and of the VM.</summary>
internal interface ICallHost
{
    /// <summary>MPIDR_EL1's affinity fields of each vCPU, by number.</summary>
    IReadOnlyList<ulong> Affinities { get; }

    /// <summary>Takes a vCPU out of the guest, so that the handlers see it: <see cref="ICallHandler.Enter"/>.</summary>
    void Kick(int vcpu);

    /// <summary>A vCPU was switched off: what handlers hold of its program is void.</summary>
    void SwitchedOff(int vcpu);
}
