using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Registers;

namespace Migrate.Kvm.Probe;

/// <summary>What a scratch VM is made of.</summary>
/// <param name="Features">vCPU features.</param>
/// <param name="Gic">The interrupt controller in the kernel.</param>
/// <param name="Vcpus">How many vCPUs; all have the features.</param>
/// <param name="Finalize">Whether SVE is finalized where the features have it: only then can registers be listed.</param>
/// <param name="Runnable">Whether everything that KVM_RUN asks for is set up: memory with the tiny guest's code, the GIC's addresses, the PMU's interrupt.</param>
internal readonly record struct ScratchVm(VcpuFeatures Features, GicKind Gic, int Vcpus = 1, bool Finalize = true, bool Runnable = false);

/// <summary>The answer to a request for a scratch VM.</summary>
/// <param name="Errno">0, or the positive errno of the step that failed.</param>
/// <param name="RefusedAt">That step in the words of <see cref="HostShape.RefusedAt"/>; empty for success.</param>
/// <param name="Vm">The VM, for success; the caller disposes of it.</param>
internal readonly record struct ScratchAnswer(int Errno, string RefusedAt, IProbeVm? Vm);

/// <summary>What the probe needs of /dev/kvm. A refusal by the kernel is an answer (a positive errno) and no exception.</summary>
internal interface IProbeHost
{
    /// <summary>ioctls so far, on every kind of descriptor.</summary>
    long Calls { get; }

    /// <summary>KVM_CHECK_EXTENSION on /dev/kvm; 0 where absent.</summary>
    int CheckExtension(int capability);

    /// <summary>KVM_CREATE_VM with a type; the VM is closed at once.</summary>
    int TryVmType(ulong type);

    /// <summary>Builds a scratch VM.</summary>
    ScratchAnswer Create(in ScratchVm request);
}

/// <summary>A scratch VM. Every method answers 0 or a positive errno.</summary>
internal interface IProbeVm : IDisposable
{
    /// <summary>KVM_GET_REG_LIST.</summary>
    int List(int vcpu, out RegisterId[] ids);

    /// <summary>KVM_GET_ONE_REG.</summary>
    int Get(int vcpu, RegisterId id, out RegisterValue value);

    /// <summary>KVM_SET_ONE_REG.</summary>
    int Set(int vcpu, RegisterId id, RegisterValue value);

    /// <summary>What <see cref="Run"/> answers to an exit that the tiny guest does not make: EIO, which KVM_RUN itself does not use.</summary>
    const int UnexpectedExit = 5;

    /// <summary>KVM_RUN until the guest stores to <see cref="TinyGuest.ReportAddress"/>.</summary>
    int Run(int vcpu, out ulong reported);

    /// <summary>KVM_HAS_DEVICE_ATTR on the VM's descriptor.</summary>
    int HasVmAttribute(uint group, ulong attribute);

    /// <summary>KVM_HAS_DEVICE_ATTR on a vCPU's descriptor.</summary>
    int HasVcpuAttribute(int vcpu, uint group, ulong attribute);

    /// <summary>Names of the host's PMUs that KVM_ARM_VCPU_PMU_V3_SET_PMU takes, found by choosing each; the last stays chosen.</summary>
    IEnumerable<string> Pmus();

    /// <summary>KVM_ARM_VM_SMCCC_FILTER.</summary>
    int InstallFilter(SmcccFilterRange range);

    /// <summary>KVM_GET_DEVICE_ATTR of the VM's GICv3, whose registers have 4 bytes there but for those of the CPU interface.</summary>
    int GetGic(uint group, ulong attribute, out ulong value);

    /// <summary>KVM_SET_DEVICE_ATTR of the VM's GICv3.</summary>
    int SetGic(uint group, ulong attribute, ulong value);

    /// <summary>KVM_CREATE_DEVICE with KVM_CREATE_DEVICE_TEST: nothing is created.</summary>
    int TryDevice(uint type);
}
