using Migrate.Kvm.Handles;
using Migrate.Kvm.Native;
using Migrate.Kvm.State;

namespace Migrate.Kvm.Vmm;

/// <summary>A kind of handler.</summary>
/// <param name="Name">As hosts announce it (<see cref="Model.Hosts.HostProfile.Handlers"/>).</param>
/// <param name="IsAlwaysThere">Whether every machine of this VMM has one, named in its description or not. Its state moves once the guest has changed it.</param>
/// <param name="Create">Makes a new one for a VM.</param>
internal sealed record HandlerKind(string Name, bool IsAlwaysThere, Func<KvmMachine, IVmHandler> Create);

/// <summary>Every handler that this VMM has: one line and one file each.</summary>
internal static class HandlerTable
{
    /// <summary>The table.</summary>
    public static IReadOnlyList<HandlerKind> All { get; } =
    [
        new(Pl011.HandlerName, IsAlwaysThere: true, machine => new Pl011(Board.Console, Line(machine, Board.ConsoleInterrupt))),
    ];

    /// <summary>The kind with this name; null for a handler that this VMM does not have.</summary>
    public static HandlerKind? Find(string name) => All.FirstOrDefault(kind => kind.Name == name);

    /// <summary>A wire to the interrupt controller; to nothing where there is none.</summary>
    private static Action<bool> Line(KvmMachine machine, int interrupt) => isHigh =>
    {
        if (machine.Gic is not null) KvmHandle.Check(machine.Vm.TrySetSharedInterrupt(interrupt, isHigh), Ioctls.IrqLine, $"interrupt {interrupt}");
    };
}
