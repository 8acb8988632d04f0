using Migrate.Kvm.Handles;
using Migrate.Kvm.Native;
using Migrate.Model.Machines;
using Migrate.Model.Registers;

namespace Migrate.Kvm.Vmm.Calls;

/// <summary>A real vCPU as call handlers see it.</summary>
/// <param name="vcpu">The vCPU.</param>
/// <param name="target">KVM_ARM_PREFERRED_TARGET of this host.</param>
/// <param name="features">With which it was initialised.</param>
internal sealed class KvmCallingVcpu(KvmVcpu vcpu, uint target, VcpuFeatures features) : ICallingVcpu
{
    private static readonly RegisterId PcId = RegisterId.Core(8 * 32, 8);
    private static readonly RegisterId PstateId = RegisterId.Core(8 * 33, 8);
    private static readonly RegisterId ExceptionLinkId = RegisterId.Core(8 * 35, 8);
    private static readonly RegisterId SavedPstateId = RegisterId.Core(8 * 36, 8);

    public int Index => vcpu.Index;

    public ulong Pc
    {
        get => vcpu.Get(PcId).Low;
        set => vcpu.Set(PcId, new RegisterValue(value));
    }

    public ulong Pstate
    {
        get => vcpu.Get(PstateId).Low;
        set => vcpu.Set(PstateId, new RegisterValue(value));
    }

    public ulong ExceptionLink
    {
        set => vcpu.Set(ExceptionLinkId, new RegisterValue(value));
    }

    public ulong SavedPstate
    {
        set => vcpu.Set(SavedPstateId, new RegisterValue(value));
    }

    public MpState MpState
    {
        get
        {
            KvmHandle.Check(vcpu.TryGetMpState(out var state), Ioctls.GetMpState, vcpu.Subject);
            return state;
        }
        set => KvmHandle.Check(vcpu.TrySetMpState(value), Ioctls.SetMpState, vcpu.Subject, value.ToString());
    }

    public ulong this[int register]
    {
        get => vcpu.Get(RegisterId.Core(8 * register, 8)).Low;
        set => vcpu.Set(RegisterId.Core(8 * register, 8), new RegisterValue(value));
    }

    /// <remarks>
    /// KVM_ARM_VCPU_INIT once more, with the features of the first time, or KVM answers EINVAL. It resets the cache geometry too (reset_clidr), which the
    /// VM's configuration may have pinned; so what says what the vCPU is, is put back where it changed.
    /// </remarks>
    public void Reset()
    {
        var identity = vcpu.ListRegisters().Where(IsIdentity).Select(id => (Id: id, Value: vcpu.Get(id))).ToList();
        KvmHandle.Check(vcpu.TryInitialise(target, features), Ioctls.VcpuInitialise, vcpu.Subject);
        foreach (var (id, value) in identity)
            if (vcpu.Get(id) != value) vcpu.Set(id, value);
    }

    /// <summary>Op0 3, CRn 0: identification registers (DDI 0487, D23.3), and the cache geometry that is chosen by index.</summary>
    private static bool IsIdentity(RegisterId id) => id.Class == RegisterClass.Demux || (id.Class == RegisterClass.System && id.Index >> 14 == 3 && (id.Index >> 7 & 0xf) == 0);
}
