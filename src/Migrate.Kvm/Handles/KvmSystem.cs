using Migrate.Kvm.Native;
using Migrate.Linux;
using Migrate.Model.Errors;

namespace Migrate.Kvm.Handles;

/// <summary>/dev/kvm of an arm64 host.</summary>
/// <remarks>Whether it is one is decided by what KVM answers, not by the architecture of this process, which may be translated.</remarks>
public sealed class KvmSystem : KvmHandle
{
    /// <summary>Where KVM is.</summary>
    public const string DefaultPath = "/dev/kvm";

    /// <summary>KVM_API_VERSION: the same in every kernel since 2.6.22.</summary>
    private const int ApiVersion = 12;

    private KvmSystem(int descriptor, string path)
        : base(descriptor, path, new IoctlCount())
    {
    }

    /// <summary>Bytes of the memory that each vCPU shares with this process.</summary>
    internal int RunBytes { get; private set; }

    /// <summary>Opens it and asks whether it is arm64 KVM.</summary>
    /// <param name="path">Where it is.</param>
    /// <exception cref="KvmException"><see cref="ErrorCode.Unsupported"/>: there is no KVM, or it is not arm64 KVM;
    /// <see cref="ErrorCode.Denied"/>: it may not be opened.</exception>
    public static KvmSystem Open(string path = DefaultPath)
    {
        int descriptor;
        try
        {
            descriptor = OpenReadWrite(path);
        }
        catch (LinuxException e) when (e.Code == ErrorCode.Denied)
        {
            throw new KvmException(ErrorCode.Denied, e.Message)
            {
                Remedy = $"run as a user that may open {path} (often: a member of group kvm)",
            };
        }
        catch (LinuxException e)
        {
            throw NotArm64(path, $"it cannot be opened ({e.ErrnoName})");
        }
        var system = new KvmSystem(descriptor, path);
        try
        {
            system.Recognise();
            return system;
        }
        catch
        {
            system.Dispose();
            throw;
        }
    }

    /// <summary>KVM_CHECK_EXTENSION: what the host can do for a VM that does not exist yet; 0 for what it does not know.</summary>
    public int CheckExtension(Capability capability) => Math.Max(0, Call(Ioctls.CheckExtension, (nint)capability));

    /// <summary>KVM_CREATE_VM.</summary>
    /// <param name="type">Address bits, as <see cref="Migrate.Model.Machines.VmType"/> has them.</param>
    /// <param name="vm">The VM; null when refused.</param>
    /// <returns>0 or a positive errno.</returns>
    public int TryCreateVm(ulong type, out KvmVm? vm)
    {
        var answer = Call(Ioctls.CreateVm, (nint)type);
        vm = answer < 0 ? null : new KvmVm(answer, this);
        return Errno(answer);
    }

    /// <summary>KVM_CREATE_VM, where a refusal is an error.</summary>
    /// <exception cref="KvmException">KVM refused.</exception>
    public KvmVm CreateVm(ulong type)
    {
        var errno = TryCreateVm(type, out var vm);
        return vm ?? throw new KvmException(Ioctls.CreateVm.Name, errno, Subject, $"0x{type:x}");
    }

    private void Recognise()
    {
        var version = Call(Ioctls.GetApiVersion, 0);
        if (version != ApiVersion)
            throw NotArm64(Subject, version < 0 ? $"KVM_GET_API_VERSION answers {LinuxException.NameOf(-version)}" : $"its API has version {version}");
        if (CheckExtension(Capability.ArmVmIpaSize) == 0)
            throw NotArm64(Subject, "its KVM knows no arm64 address sizes (KVM_CAP_ARM_VM_IPA_SIZE)");
        RunBytes = Call(Ioctls.GetVcpuMmapSize, 0);
        if (RunBytes < RunLayout.Smallest) throw NotArm64(Subject, $"KVM_GET_VCPU_MMAP_SIZE answers {RunBytes}");
    }

    private static KvmException NotArm64(string path, string why) =>
        new(ErrorCode.Unsupported, $"{path}: this is not an arm64 KVM host: {why}")
        {
            Remedy = "run this on the arm64 host whose virtual machines are meant",
        };
}
