namespace Migrate.Kvm.Vmm.Calls;

/// <summary>A service of the SMC calling convention that the VMM gives the guest, because the kernel forwards its calls.</summary>
/// <remarks>Members are called on vCPU threads, several at once; state changes under a lock of the handler's own.</remarks>
internal interface ICallHandler : IVmHandler
{
    /// <summary>Answers a call, all its effects included.</summary>
    /// <param name="vcpu">Who calls; its PC is behind the instruction.</param>
    /// <param name="call">What it asks.</param>
    /// <returns>False where the handler has no such function: the caller then gets NOT_SUPPORTED.</returns>
    bool TryCall(ICallingVcpu vcpu, SmcccCall call);

    /// <summary>The vCPU is about to enter the guest, and no MMIO of it is half done: the time for what others ordered.</summary>
    void Enter(ICallingVcpu vcpu);

    /// <summary>A vCPU was switched off: what is held of its program is void.</summary>
    void SwitchedOff(int vcpu);
}
