using Migrate.Kvm.Handles;
using Migrate.Kvm.Scratch;
using Migrate.Kvm.State;
using Migrate.Model.Machines;

namespace Migrate.LabGuest.Jobs;

/// <summary>States of small VMs of this host, for jobs that carry them elsewhere.</summary>
internal static class ScratchStates
{
    private static readonly VcpuFeatures[] Offered =
        [VcpuFeatures.Psci02, VcpuFeatures.PmuV3, VcpuFeatures.Sve, VcpuFeatures.PointerAuthentication];

    /// <summary>What the host takes of the features a plain VM may have.</summary>
    public static VcpuFeatures AllFeatures(KvmSystem system)
    {
        var all = default(VcpuFeatures);
        foreach (var feature in Offered)
        {
            using var vm = system.CreateVm(0);
            using var vcpu = vm.CreateVcpu(0);
            if (vcpu.TryInitialise(vm.PreferredTarget(), all | feature) == 0) all |= feature;
        }
        return all;
    }

    /// <summary>A VM that never ran.</summary>
    public static MachineState New(KvmSystem system, ScratchOptions options, ulong counterFrequency)
    {
        using var machine = ScratchMachine.Create(system, options);
        return KvmCapture.Capture(machine.Machine, counterFrequency: counterFrequency);
    }

    /// <summary>A VM with a GIC after its guests reported; a vCPU without one stays off.</summary>
    /// <param name="system">The host.</param>
    /// <param name="features">Of each vCPU.</param>
    /// <param name="guests">What each vCPU runs.</param>
    /// <param name="patience">How long a report may take.</param>
    /// <param name="counterFrequency">What the state says of CNTFRQ_EL0.</param>
    public static MachineState Ran(KvmSystem system, VcpuFeatures features, Func<int, uint[]>?[] guests, TimeSpan patience, ulong counterFrequency)
    {
        var started = Enumerable.Range(0, guests.Length).Where(i => guests[i] is not null).ToArray();
        using var machine = ScratchMachine.Create(system, new ScratchOptions { Features = features, Vcpus = guests.Length, HasGic = true, Started = started });
        foreach (var i in started) machine.Load(i, (ulong)i * 0x10000, guests[i]!(i));
        machine.Start();
        foreach (var _ in started)
        {
            var report = machine.Next(patience);
            CheckFailedException.That(report.Reason == ExitReason.Mmio && report.Value == ScratchGuests.Ready + (uint)report.Vcpu, $"the guest did {report}");
        }
        machine.Stop();
        return KvmCapture.Capture(machine.Machine, counterFrequency: counterFrequency);
    }
}
