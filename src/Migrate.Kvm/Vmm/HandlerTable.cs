using Migrate.Kvm.Handles;
using Migrate.Kvm.Native;
using Migrate.Kvm.State;
using Migrate.Kvm.Vmm.Calls;
using Migrate.Model.Firmware;
using Migrate.Model.Machines;

namespace Migrate.Kvm.Vmm;

/// <summary>A kind of handler.</summary>
/// <param name="Name">As hosts announce it (<see cref="Model.Hosts.HostProfile.Handlers"/>).</param>
/// <param name="IsAlwaysThere">Whether every machine of this VMM has one, named in its description or not. Its state moves once the guest has changed it.</param>
/// <param name="Create">Makes a new one for a VM whose vCPUs are there.</param>
internal sealed record HandlerKind(string Name, bool IsAlwaysThere, Func<KvmMachine, IVmHandler> Create)
{
    /// <summary>Calls that the kernel must forward for it.</summary>
    public IReadOnlyList<SmcccFilterRange> Forwarded { get; init; } = [];
}

/// <summary>Every handler that this VMM has: one line and one file each.</summary>
internal static class HandlerTable
{
    /// <summary>The table.</summary>
    public static IReadOnlyList<HandlerKind> All { get; } =
    [
        new(Pl011.HandlerName, IsAlwaysThere: true, machine => new Pl011(Board.Console, Line(machine, Board.ConsoleInterrupt))),
        new(Psci.HandlerName, IsAlwaysThere: false, NewPsci) { Forwarded = Psci.Ranges },
        new(Sdei.HandlerName, IsAlwaysThere: false, machine => new Sdei(new MachineCallHost(machine))) { Forwarded = Sdei.Ranges },
    ];

    /// <summary>The kind with this name; null for a handler that this VMM does not have.</summary>
    public static HandlerKind? Find(string name) => All.FirstOrDefault(kind => kind.Name == name);

    /// <summary>Of the version that the kernel's own would have, and as the vCPUs are: those not off are on.</summary>
    private static Psci NewPsci(KvmMachine machine)
    {
        var on = new List<int>();
        foreach (var vcpu in machine.Vcpus.Values)
        {
            KvmHandle.Check(vcpu.TryGetMpState(out var state), Ioctls.GetMpState, vcpu.Subject);
            if (state != MpState.Stopped) on.Add(vcpu.Index);
        }
        var isSaid = PsciVersion.TryFromRegister(machine.Vcpus[0].Get(FirmwareRegisters.PsciVersion).Low, out var version);
        return new Psci(new MachineCallHost(machine), isSaid ? version : new PsciVersion(1, 0), on);
    }

    /// <summary>A wire to the interrupt controller; to nothing where there is none.</summary>
    private static Action<bool> Line(KvmMachine machine, int interrupt) => isHigh =>
    {
        if (machine.Gic is not null) KvmHandle.Check(machine.Vm.TrySetSharedInterrupt(interrupt, isHigh), Ioctls.IrqLine, $"interrupt {interrupt}");
    };
}
