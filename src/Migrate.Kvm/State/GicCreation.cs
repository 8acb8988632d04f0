using Migrate.Kvm.Handles;
using Migrate.Kvm.Native;
using Migrate.Model.Machines;
using Migrate.Model.Ports;

namespace Migrate.Kvm.State;

/// <summary>Creates the interrupt controller of a VM whose vCPUs are all there.</summary>
internal static class GicCreation
{
    /// <summary>The device, its addresses, the number of interrupts, its init; then the ITS.</summary>
    public static StepAnswer Create(KvmMachine machine, GicDescription gic)
    {
        if (machine.Gic is not null) return new(KvmErrno.EEXIST, "there is an interrupt controller");
        if (gic.Kind != GicKind.GicV3) return new(KvmErrno.ENODEV, $"{gic.Kind} is not known here");
        var errno = machine.Vm.TryCreateDevice(DeviceKind.GicV3, out var device);
        if (device is null) return new(errno, "KVM_CREATE_DEVICE GICv3");
        KvmDevice? its = null;
        var answer = Configure(device, gic);
        if (answer.Succeeded && gic.Its != 0) answer = CreateIts(machine.Vm, gic.Its, out its);
        // Kept even when refused: KVM has it, and a second one would be EEXIST.
        machine.Adopt(device, its, gic);
        return answer;
    }

    private static StepAnswer Configure(KvmDevice device, GicDescription gic)
    {
        (uint Group, ulong Attribute, ulong Value, int Bytes, string What)[] writes =
        [
            (VgicGroup.Interrupts, 0, (ulong)gic.Interrupts, 4, "number of interrupts"),
            (VgicGroup.Address, VgicAddress.V3Distributor, gic.Distributor, 8, "distributor"),
            (VgicGroup.Address, VgicAddress.V3Redistributor, gic.Redistributors, 8, "redistributors"),
        ];
        foreach (var (group, attribute, value, bytes, what) in writes)
        {
            // Unset: KVM's default, or an address that this VM was never given.
            if (value == 0) continue;
            var errno = bytes == 4 ? device.TrySetAttribute32(group, attribute, (uint)value) : device.TrySetAttribute64(group, attribute, value);
            if (errno != 0) return new(errno, $"GICv3 {what} = 0x{value:x}");
        }
        var refused = device.TrySetAttribute(VgicGroup.Control, VgicControl.Init, []);
        return new(refused, refused == 0 ? "" : "GICv3 init");
    }

    private static StepAnswer CreateIts(KvmVm vm, ulong address, out KvmDevice? its)
    {
        var errno = vm.TryCreateDevice(DeviceKind.Its, out its);
        if (its is null) return new(errno, "KVM_CREATE_DEVICE ITS");
        errno = its.TrySetAttribute64(VgicGroup.Address, VgicAddress.Its, address);
        if (errno != 0) return new(errno, $"ITS address = 0x{address:x}");
        errno = its.TrySetAttribute(VgicGroup.Control, VgicControl.Init, []);
        return new(errno, errno == 0 ? "" : "ITS init");
    }
}
