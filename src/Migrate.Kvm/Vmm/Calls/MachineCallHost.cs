using Migrate.Kvm.State;
using Migrate.Model.Registers;

namespace Migrate.Kvm.Vmm.Calls;

/// <summary>The other vCPUs of a machine, as its call handlers reach them.</summary>
internal sealed class MachineCallHost(KvmMachine machine) : ICallHost
{
    /// <summary>Affinity fields of MPIDR_EL1 (DDI 0487, D23.2): 39:32 and 23:0.</summary>
    private const ulong AffinityMask = 0xff_00ff_ffff;

    private static readonly RegisterId Mpidr = RegisterId.System(3, 0, 0, 0, 5);

    /// <inheritdoc/>
    public IReadOnlyList<ulong> Affinities { get; } = [.. machine.Vcpus.Values.Select(v => v.Get(Mpidr).Low & AffinityMask)];

    /// <inheritdoc/>
    public void Kick(int vcpu) => machine.Handlers.Kick(vcpu);

    /// <inheritdoc/>
    public void SwitchedOff(int vcpu)
    {
        foreach (var handler in machine.Handlers.Calls) handler.SwitchedOff(vcpu);
    }
}
