using System.Buffers.Binary;
using Migrate.Kvm.Native;
using Migrate.Linux.Memory;

namespace Migrate.Kvm.Handles;

/// <summary>Why KVM_RUN returned, by KVM's own numbers.</summary>
/// <remarks>Source: include/uapi/linux/kvm.h, KVM_EXIT_*; the ones that an arm64 guest can cause.</remarks>
public enum ExitReason
{
    /// <summary>KVM_EXIT_UNKNOWN.</summary>
    Unknown = 0,

    /// <summary>KVM_EXIT_HYPERCALL: an SMCCC call that a filter forwards.</summary>
    Hypercall = 3,

    /// <summary>KVM_EXIT_DEBUG.</summary>
    Debug = 4,

    /// <summary>KVM_EXIT_MMIO.</summary>
    Mmio = 6,

    /// <summary>KVM_EXIT_SHUTDOWN.</summary>
    Shutdown = 8,

    /// <summary>KVM_EXIT_FAIL_ENTRY.</summary>
    FailEntry = 9,

    /// <summary>KVM_EXIT_INTR.</summary>
    Interrupted = 10,

    /// <summary>KVM_EXIT_INTERNAL_ERROR.</summary>
    InternalError = 17,

    /// <summary>KVM_EXIT_SYSTEM_EVENT.</summary>
    SystemEvent = 24,

    /// <summary>KVM_EXIT_ARM_NISV.</summary>
    ArmNisv = 28,

    /// <summary>KVM_EXIT_MEMORY_FAULT.</summary>
    MemoryFault = 39,

    /// <summary>KVM_EXIT_ARM_SEA.</summary>
    ArmSea = 41,
}

/// <summary>struct kvm_run: the memory that a vCPU shares with this process. Valid between two runs; only <see cref="ImmediateExit"/> also during one.</summary>
public sealed unsafe class KvmRun : IDisposable
{
    private readonly MappedRegion _memory;

    internal KvmRun(MappedRegion memory) => _memory = memory;

    /// <summary>Makes the next KVM_RUN, or one that is just about to enter the guest, return EINTR once pending MMIO is complete.</summary>
    public bool ImmediateExit
    {
        get => Volatile.Read(ref *(_memory.Pointer + RunLayout.ImmediateExit)) != 0;
        set => Volatile.Write(ref *(_memory.Pointer + RunLayout.ImmediateExit), value ? (byte)1 : (byte)0);
    }

    /// <summary>Why the guest stopped.</summary>
    public ExitReason ExitReason => (ExitReason)Read32(RunLayout.ExitReason);

    /// <summary>Guest physical address of the access that became an <see cref="ExitReason.Mmio"/>.</summary>
    public ulong MmioAddress => Read64(RunLayout.MmioAddress);

    /// <summary>Bytes of the access, at most 8.</summary>
    public int MmioLength => (int)Math.Min(Read32(RunLayout.MmioLength), 8);

    /// <summary>Whether the guest writes.</summary>
    public bool MmioIsWrite => *(_memory.Pointer + RunLayout.MmioIsWrite) != 0;

    /// <summary>What the guest writes, or what it is to read.</summary>
    public ulong MmioData
    {
        get => Read64(RunLayout.MmioData) & (MmioLength == 8 ? ulong.MaxValue : (1UL << (8 * MmioLength)) - 1);
        set => BinaryPrimitives.WriteUInt64LittleEndian(_memory.Slice(RunLayout.MmioData, 8), value);
    }

    /// <summary>Function id of an <see cref="ExitReason.Hypercall"/>; its arguments are in X1 and up.</summary>
    public ulong HypercallNumber => Read64(RunLayout.HypercallNumber);

    /// <summary>Whether it was an SMC rather than an HVC.</summary>
    public bool HypercallIsSmc => (Read64(RunLayout.HypercallFlags) & HypercallFlags.Smc) != 0;

    /// <summary>KVM_SYSTEM_EVENT_*: 1 shutdown, 2 reset, 3 crash, 5 suspend.</summary>
    public uint SystemEventType => Read32(RunLayout.SystemEventType);

    /// <summary>Unmaps it.</summary>
    public void Dispose() => _memory.Dispose();

    private uint Read32(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(_memory.Slice(offset, 4));

    private ulong Read64(int offset) => BinaryPrimitives.ReadUInt64LittleEndian(_memory.Slice(offset, 8));
}
