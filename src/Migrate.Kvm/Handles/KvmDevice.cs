namespace Migrate.Kvm.Handles;

/// <summary>A device in the kernel (GIC, ITS), all of it attributes.</summary>
public sealed class KvmDevice : KvmHandle
{
    internal KvmDevice(int descriptor, DeviceKind kind, IoctlCount count)
        : base(descriptor, kind.ToString(), count) => Kind = kind;

    /// <summary>Which device.</summary>
    public DeviceKind Kind { get; }
}
