using Migrate.Model.Machines;
using Migrate.Model.Registers;

namespace Migrate.Kvm.State;

/// <summary>Something with device attributes: a device, a vCPU; in tests, a table.</summary>
internal interface IAttributeSource
{
    /// <summary>0 where the attribute exists, else an errno.</summary>
    int Has(uint group, ulong attribute);

    /// <summary>Reads as many bytes as <paramref name="value"/> has; 0 or an errno.</summary>
    int Get(uint group, ulong attribute, Span<byte> value);
}

/// <summary>What an attribute block does with its attributes.</summary>
internal enum AttributeUse
{
    /// <summary>Read at the source, written at the destination as it was.</summary>
    Copy,

    /// <summary>Write-one-to-clear, written before the set register that it belongs to: the complement of what that one reads as.</summary>
    ClearOthers,

    /// <summary>A command without a value, given at the destination only.</summary>
    Command,
}

/// <summary>One block of a device's attributes: where it is, how wide, and why it stands where it stands in the table.</summary>
/// <param name="Name">As the architecture calls it.</param>
/// <param name="Group">KVM_DEV_ARM_VGIC_GRP_* and its like.</param>
/// <param name="Bytes">Of one value: 4 or 8.</param>
/// <param name="Attributes">Which, for a VM of this geometry.</param>
/// <param name="Why">Why it is written at this place.</param>
internal sealed record AttributeBlock(
    string Name, uint Group, int Bytes, Func<DeviceGeometry, IEnumerable<ulong>> Attributes, string Why)
{
    /// <summary>What is done with it.</summary>
    public AttributeUse Use { get; init; }

    /// <summary>For <see cref="AttributeUse.ClearOthers"/>: from the clear register to the set register whose value it complements.</summary>
    public long SetRegisterAt { get; init; }

    /// <summary>Errors of a read that mean that this VM has no such attribute, besides ENXIO of KVM_HAS_DEVICE_ATTR.</summary>
    public int[] AbsentWhen { get; init; } = [];

    /// <summary>A value that says that nothing was ever set; such an attribute is not carried.</summary>
    public ulong? Unset { get; init; }

    /// <summary>What a write reads out of guest memory; empty for nothing.</summary>
    public string Reads { get; init; } = "";

    /// <summary>Bits of the value without which a write reads nothing; 0 where every write does.</summary>
    public ulong ReadsWith { get; init; }

    /// <summary>Whether writing a value reads guest memory.</summary>
    public bool ReadsMemory(RegisterValue value) => Reads.Length != 0 && (ReadsWith == 0 || (value.Low & ReadsWith) != 0);
}

/// <summary>What decides which attributes a device has.</summary>
/// <param name="Vcpus">Each vCPU's number and affinity as device attributes carry it (Aff3 to Aff0 in 32 bits).</param>
/// <param name="Interrupts">How many INTIDs below 1020 the distributor knows; a multiple of 32.</param>
/// <param name="HasPmu">Whether vCPUs have performance monitors that are initialised.</param>
/// <param name="HasGic">Whether there is an interrupt controller in the kernel.</param>
/// <param name="HasEl2">Whether vCPUs have EL2.</param>
internal sealed record DeviceGeometry(
    IReadOnlyList<VcpuPlace> Vcpus, int Interrupts, bool HasPmu = false, bool HasGic = true, bool HasEl2 = false);

/// <summary>A vCPU's number and its affinity.</summary>
internal readonly record struct VcpuPlace(int Index, uint Affinity)
{
    /// <summary>The affinity fields of an MPIDR_EL1, packed as KVM_DEV_ARM_VGIC_V3_MPIDR wants them (arm-vgic-v3.rst).</summary>
    public static uint AffinityOf(ulong mpidr) => (uint)(mpidr & 0xff_ffff) | (uint)((mpidr >> 32) & 0xff) << 24;
}

/// <summary>Reads blocks of attributes in the order of their table, which is the order of their restore.</summary>
internal static class AttributeCapture
{
    /// <summary>Reads every block.</summary>
    /// <exception cref="KvmException">An attribute that exists cannot be read.</exception>
    public static IEnumerable<DeviceAttribute> Read(
        IAttributeSource source, IEnumerable<AttributeBlock> blocks, DeviceGeometry geometry, string subject)
    {
        foreach (var block in blocks)
        {
            foreach (var attribute in block.Attributes(geometry))
            {
                if (Read(source, block, attribute, subject) is { } value)
                    yield return new DeviceAttribute(block.Group, attribute, value);
            }
        }
    }

    private static RegisterValue? Read(IAttributeSource source, AttributeBlock block, ulong attribute, string subject)
    {
        if (block.Use == AttributeUse.Command) return source.Has(block.Group, attribute) == 0 ? new RegisterValue(0, block.Bytes) : null;
        var from = block.Use == AttributeUse.ClearOthers ? attribute + (ulong)block.SetRegisterAt : attribute;
        if (source.Has(block.Group, from) != 0) return null;
        Span<byte> bytes = stackalloc byte[block.Bytes];
        var errno = source.Get(block.Group, from, bytes);
        if (errno != 0)
        {
            return block.AbsentWhen.Contains(errno)
                ? null
                : throw new KvmException(Native.Ioctls.GetDeviceAttribute.Name, errno, $"{subject} {block.Name} (group {block.Group}, attribute 0x{from:x})");
        }
        if (block.Use == AttributeUse.ClearOthers)
            foreach (ref var b in bytes) b = (byte)~b;
        var value = new RegisterValue(bytes);
        return value.Low == block.Unset ? null : value;
    }
}
