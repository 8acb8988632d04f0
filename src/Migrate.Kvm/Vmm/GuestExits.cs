using Migrate.Kvm.Handles;
using Migrate.Kvm.Vmm.Calls;
using Migrate.Model.Errors;

namespace Migrate.Kvm.Vmm;

/// <summary>What the VMM does about each exit, and how often.</summary>
internal sealed class GuestExits(IEnumerable<IMmioHandler> devices, ForwardedCalls calls, Action<string> ended) : IExitHandler
{
    private readonly IMmioHandler[] _devices = [.. devices];
    private long _mmio;
    private long _hypercalls;
    private long _unknown;
    private long _unknownCalls;
    private long _failed;

    /// <summary>mmio-exits, hypercalls (forwarded to user space), unknown-hypercalls (that no handler has), unknown-mmio (addresses where nothing is), faults (vCPUs that run no more).</summary>
    public IReadOnlyList<KeyValuePair<string, ulong>> Counters =>
    [
        new("mmio-exits", (ulong)Interlocked.Read(ref _mmio)), new("hypercalls", (ulong)Interlocked.Read(ref _hypercalls)), new("unknown-hypercalls", (ulong)Interlocked.Read(ref _unknownCalls)),
        new("unknown-mmio", (ulong)Interlocked.Read(ref _unknown)), new("faults", (ulong)Interlocked.Read(ref _failed)),
    ];

    /// <inheritdoc/>
    public void Exit(KvmVcpu vcpu)
    {
        var run = vcpu.Run;
        switch (run.ExitReason)
        {
            case ExitReason.Mmio:
                Access(run);
                break;
            case ExitReason.Hypercall:
                Interlocked.Increment(ref _hypercalls);
                if (!calls.Answer(vcpu)) Interlocked.Increment(ref _unknownCalls);
                break;
            case ExitReason.SystemEvent:
                ended(run.SystemEventType switch { 1 => "the guest switched itself off", 2 => "the guest asked for a reset", var type => $"the guest ended with system event {type}" });
                break;
            default:
                throw new KvmException(ErrorCode.System, $"the guest stopped with KVM_EXIT {(int)run.ExitReason} ({run.ExitReason})");
        }
    }

    /// <inheritdoc/>
    public void Enter(KvmVcpu vcpu) => calls.Enter(vcpu);

    /// <inheritdoc/>
    public void Failed(KvmVcpu vcpu, Exception error)
    {
        Interlocked.Increment(ref _failed);
        ended($"{vcpu.Subject}: {error.Message}");
    }

    private void Access(KvmRun run)
    {
        Interlocked.Increment(ref _mmio);
        var address = run.MmioAddress;
        var device = Array.Find(_devices, d => d.Has(address));
        if (device is null) Interlocked.Increment(ref _unknown);
        if (!run.MmioIsWrite) run.MmioData = device?.Read(address) ?? 0;
        else device?.Write(address, run.MmioData);
    }
}
