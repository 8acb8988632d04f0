using Migrate.Model.Registers;

namespace Migrate.Model.Machines;

/// <summary>What must be the same for a VM to be created again somewhere else: everything that KVM does not give back.</summary>
public sealed record VmDescription
{
    /// <summary>The machine's name, for people.</summary>
    public required string Name { get; init; }

    /// <summary>Identity of this VM, kept across moves: 32 lowercase hexadecimal digits.</summary>
    public required string Id { get; init; }

    /// <summary>The argument of KVM_CREATE_VM.</summary>
    public required VmType Type { get; init; }

    /// <summary>vCPU features, the same for every vCPU.</summary>
    public required VcpuFeatures Features { get; init; }

    /// <summary>How many vCPUs, 1 to 512.</summary>
    public required int VcpuCount { get; init; }

    /// <summary>Guest memory, by slot.</summary>
    public required EquatableArray<MemorySlot> Memory { get; init; }

    /// <summary>The interrupt controller in the kernel; <see cref="GicKind.None"/> where there is none.</summary>
    public GicDescription Gic { get; init; }

    /// <summary>SMCCC filter ranges in the order of their installation; KVM has no way to read them back.</summary>
    public EquatableArray<SmcccFilterRange> SmcccFilter { get; init; }

    /// <summary>User-space handlers that the guest relies on (<c>psci</c>, <c>sdei</c>): a forwarded range is a promise by the VMM.</summary>
    public EquatableArray<string> Handlers { get; init; }

    /// <summary>Everything else, typed and sized: a required attribute that a destination does not know is a refusal by name.</summary>
    public EquatableArray<VmAttribute> Attributes { get; init; }

    /// <summary>Bytes of guest memory over all slots.</summary>
    public ulong MemoryBytes
    {
        get
        {
            var sum = 0UL;
            foreach (var slot in Memory) sum += slot.Size;
            return sum;
        }
    }

    /// <summary>Whether these are the machine's vCPUs: as many as it has, at least one, numbered from 0 without a gap.</summary>
    public bool Has(IEnumerable<int> vcpus) => VcpuCount > 0 && vcpus.Order().SequenceEqual(Enumerable.Range(0, VcpuCount));
}

/// <summary>One range of guest memory: struct kvm_userspace_memory_region.</summary>
/// <param name="Slot">Slot number.</param>
/// <param name="GuestAddress">First guest physical address, page aligned.</param>
/// <param name="Size">Bytes, page aligned.</param>
/// <param name="ReadOnly">KVM_MEM_READONLY.</param>
public readonly record struct MemorySlot(int Slot, ulong GuestAddress, ulong Size, bool ReadOnly = false);

/// <summary>The kind of interrupt controller that the kernel emulates.</summary>
public enum GicKind
{
    /// <summary>None in the kernel.</summary>
    None = 0,

    /// <summary>GICv2.</summary>
    GicV2 = 2,

    /// <summary>GICv3, with or without ITS.</summary>
    GicV3 = 3,

    /// <summary>GICv5.</summary>
    GicV5 = 5,
}

/// <summary>The interrupt controller and where it lies in guest physical space.</summary>
/// <param name="Kind">Which controller.</param>
/// <param name="Distributor">Address of the distributor; 0 where unset.</param>
/// <param name="Redistributors">Address of the first redistributor; 0 where unset.</param>
/// <param name="Its">Address of the ITS; 0 for none.</param>
/// <param name="Interrupts">How many interrupts, SGIs and PPIs included; 0 for the kernel's default.</param>
public readonly record struct GicDescription(GicKind Kind, ulong Distributor = 0, ulong Redistributors = 0, ulong Its = 0, int Interrupts = 0);

/// <summary>What the kernel does with a range of SMCCC function ids.</summary>
/// <remarks>Source: arch/arm64/include/uapi/asm/kvm.h, enum kvm_smccc_filter_action.</remarks>
public enum SmcccAction
{
    /// <summary>The kernel handles the call.</summary>
    Handle = 0,

    /// <summary>The guest gets NOT_SUPPORTED.</summary>
    Deny = 1,

    /// <summary>The call leaves to user space as KVM_EXIT_HYPERCALL.</summary>
    ForwardToUser = 2,
}

/// <summary>One range of the SMCCC filter: struct kvm_smccc_filter.</summary>
/// <param name="Base">First function id.</param>
/// <param name="Count">How many ids; at least 1.</param>
/// <param name="Action">What happens to them.</param>
public readonly record struct SmcccFilterRange(uint Base, uint Count, SmcccAction Action);

/// <summary>The type of a <see cref="VmAttribute"/>'s value.</summary>
public enum AttributeType
{
    /// <summary>Present or not; no value.</summary>
    Flag = 1,

    /// <summary>An unsigned number of 1 to 8 bytes.</summary>
    Number = 2,

    /// <summary>UTF-8 text.</summary>
    Text = 3,

    /// <summary>Opaque bytes.</summary>
    Bytes = 4,
}

/// <summary>One typed, sized attribute of a VM (row CREATE): the extensible part of a description.</summary>
/// <param name="Name">Dotted lowercase name, <c>cap.arm-mte</c>; those known here are in <see cref="VmAttributes"/>.</param>
/// <param name="Type">How to read the value.</param>
/// <param name="Required">Whether a destination that does not know the name must refuse; otherwise it carries the attribute along.</param>
/// <param name="Value">The value: little-endian number, UTF-8 text, or bytes; empty for a flag.</param>
public sealed record VmAttribute(string Name, AttributeType Type, bool Required, EquatableArray<byte> Value);

/// <summary>A register and its value.</summary>
/// <param name="Id">Which register.</param>
/// <param name="Value">Its value; its size is the id's.</param>
public readonly record struct Register(RegisterId Id, RegisterValue Value);
