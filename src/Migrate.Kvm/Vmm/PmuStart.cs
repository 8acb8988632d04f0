using Migrate.Kvm.Handles;
using Migrate.Kvm.Native;
using Migrate.Kvm.State;

namespace Migrate.Kvm.Vmm;

/// <summary>Initialises the performance monitors of a new VM; without that its vCPUs do not run.</summary>
internal static class PmuStart
{
    /// <summary>Interrupt, where there is a controller, then init.</summary>
    /// <exception cref="KvmException">KVM refused.</exception>
    public static void Start(KvmMachine machine)
    {
        foreach (var vcpu in machine.Vcpus.Values)
        {
            if (machine.Gic is not null)
            {
                KvmHandle.Check(
                    vcpu.TrySetAttribute32(VcpuAttributes.PmuControl, VcpuAttributes.PmuInterrupt, Board.PmuInterrupt),
                    Ioctls.SetDeviceAttribute, $"{vcpu.Subject} PMU interrupt");
            }
            KvmHandle.Check(
                vcpu.TrySetAttribute(VcpuAttributes.PmuControl, VcpuAttributes.PmuInit, []), Ioctls.SetDeviceAttribute, $"{vcpu.Subject} PMU init");
        }
    }
}
