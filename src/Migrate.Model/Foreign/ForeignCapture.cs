using System.Security.Cryptography;
using Migrate.Model.Errors;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Registers;

namespace Migrate.Model.Foreign;

/// <summary>What a file of another tool says about one VM on one host: the registers of one vCPU as the kernel listed them.</summary>
/// <remarks>From it come a state (what a guest would carry) and, with what kernels of that age are known to do, an assumed profile of the host.</remarks>
public sealed record ForeignCapture
{
    /// <summary>First guest physical address of the one memory slot that <see cref="ToState"/> assumes.</summary>
    public const ulong AssumedMemoryAddress = 0x4000_0000;

    /// <summary>Bytes of that slot: 1 GiB. No such file says where the guest's memory was.</summary>
    public const ulong AssumedMemorySize = 1UL << 30;

    /// <summary>The file, for people.</summary>
    public required string Name { get; init; }

    /// <summary>The host, for people; captures that make one profile have the same.</summary>
    public required string HostName { get; init; }

    /// <summary>The host's kernel release; empty where neither the file nor its name says it, and then no profile can be assumed.</summary>
    public required string KernelRelease { get; init; }

    /// <summary>Whether it tells enough of its host for a profile to be assumed (<see cref="ForeignProfile"/>).</summary>
    public bool TellsHost => KernelRelease.Length > 0;

    /// <summary>vCPU features.</summary>
    public required VcpuFeatures Features { get; init; }

    /// <summary>The argument of KVM_CREATE_VM.</summary>
    public VmType Type { get; init; }

    /// <summary>Most address bits that the host gives a VM (KVM_CAP_ARM_VM_IPA_SIZE); 0 where unknown.</summary>
    public int IpaLimit { get; init; }

    /// <summary>Whether the VM had every optional feature that the host offers: what such a capture lacks, the host lacks.</summary>
    public bool HasEveryFeature { get; init; }

    /// <summary>Whether <see cref="Listed"/> is known to be all that the kernel listed, in its order.</summary>
    public bool IsComplete { get; init; } = true;

    /// <summary>The listed registers, in list order, each once.</summary>
    public required EquatableArray<ListedRegister> Listed { get; init; }

    /// <summary>SHA-256 over the file.</summary>
    public required EquatableArray<byte> Digest { get; init; }

    /// <summary>The state of a VM with these registers: one vCPU, one assumed memory slot, no interrupt controller; its identity is derived from the file's bytes.</summary>
    public MachineState ToState() => new()
    {
        Vm = new VmDescription
        {
            Name = Name,
            Id = Convert.ToHexStringLower(Digest.Span[..16]),
            Type = Type,
            Features = Features,
            VcpuCount = 1,
            Memory = [new MemorySlot(0, AssumedMemoryAddress, AssumedMemorySize)],
        },
        Vcpus = [new VcpuState
        {
            Index = 0,
            Registers = new RegisterSet(Readable()),
            Unreadable = Unreadable().ToEquatableArray(),
        }],
        CapturedOn = Boot,
    };

    /// <summary>What is known of the boot: the host's name and the kernel's release.</summary>
    internal BootIdentity Boot => new() { HostName = HostName, KernelRelease = KernelRelease };

    /// <summary>The kernel's generation.</summary>
    /// <exception cref="MigrateException">The release is unknown or no kernel release.</exception>
    internal KernelVersion Version =>
        KernelVersion.TryParse(KernelRelease, out var version)
            ? version
            : throw new MigrateException(ErrorCode.Unsupported, KernelRelease.Length == 0
                ? $"{Name}: what this host accepts cannot be assumed, because neither the file nor its name says its kernel"
                : $"{Name}: what this host accepts cannot be assumed, because '{KernelRelease}' is no kernel release")
            {
                Stage = Stage.Input,
                Remedy = "run 'vmmigrate probe' on the host, or name a raw capture KERNEL.CPU.FEATURES.txt",
            };

    internal static EquatableArray<byte> DigestOf(ReadOnlySpan<byte> file) => EquatableArray.Create<byte>(SHA256.HashData(file));

    private IEnumerable<Register> Readable()
    {
        foreach (var register in Listed.Span.ToArray())
            if (register.Value is { } value) yield return new Register(register.Id, value);
    }

    private IEnumerable<UnreadableRegister> Unreadable()
    {
        foreach (var register in Listed.Span.ToArray())
            if (register.Errno != 0) yield return new UnreadableRegister(register.Id, register.Errno);
    }
}

/// <summary>A register of KVM_GET_REG_LIST and what KVM_GET_ONE_REG answered.</summary>
/// <param name="Id">Which register.</param>
/// <param name="Value">Its value; null where the kernel would not read it or the tool left it out.</param>
/// <param name="Errno">The positive errno where the kernel would not read it, else 0.</param>
public readonly record struct ListedRegister(RegisterId Id, RegisterValue? Value, int Errno = 0);
