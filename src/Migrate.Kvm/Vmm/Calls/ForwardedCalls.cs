using Migrate.Kvm.Handles;
using Migrate.Kvm.State;

namespace Migrate.Kvm.Vmm.Calls;

/// <summary>Calls that the kernel forwards: each goes to the handler that has the function; one that no handler has is NOT_SUPPORTED.</summary>
internal sealed class ForwardedCalls
{
    private readonly ICallHandler[] _handlers;
    private readonly SortedDictionary<int, KvmCallingVcpu> _vcpus = [];

    /// <summary>Of a machine whose handlers are there.</summary>
    public ForwardedCalls(KvmMachine machine)
    {
        _handlers = [.. machine.Handlers.Calls];
        var target = machine.Vm.PreferredTarget();
        foreach (var vcpu in machine.Vcpus.Values) _vcpus.Add(vcpu.Index, new KvmCallingVcpu(vcpu, target, machine.Features));
    }

    /// <summary>Answers a call of a vCPU. Its PC is behind the instruction already, for HVC and SMC alike (handle_smc, kvm_arch_vcpu_ioctl_run).</summary>
    /// <returns>Whether a handler had it.</returns>
    public bool Answer(KvmVcpu vcpu)
    {
        var (calling, call) = (_vcpus[vcpu.Index], new SmcccCall((uint)vcpu.Run.HypercallNumber));
        foreach (var handler in _handlers)
            if (handler.TryCall(calling, call)) return true;
        calling[0] = SmcccCall.NotSupported;
        return false;
    }

    /// <summary>Lets the handlers do what others ordered for a vCPU.</summary>
    public void Enter(KvmVcpu vcpu)
    {
        foreach (var handler in _handlers) handler.Enter(_vcpus[vcpu.Index]);
    }
}
