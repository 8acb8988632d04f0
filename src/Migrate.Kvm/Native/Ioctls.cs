namespace Migrate.Kvm.Native;

/// <summary>One KVM ioctl: its request number and the name by which errors call it.</summary>
/// <param name="Number">Direction, size, type and number, as the kernel's _IOC makes it.</param>
/// <param name="Name">KVM_*.</param>
internal readonly record struct IoctlRequest(uint Number, string Name);

/// <summary>Every KVM ioctl that is used here.</summary>
/// <remarks>Sources: include/uapi/linux/kvm.h; the number's layout: include/uapi/asm-generic/ioctl.h, equal on x86-64 and arm64.</remarks>
internal static class Ioctls
{
    private const uint KvmIo = 0xae;
    private const uint None = 0;
    private const uint Write = 1;
    private const uint Read = 2;

    public static readonly IoctlRequest GetApiVersion = Of(None, 0x00, 0, "KVM_GET_API_VERSION");
    public static readonly IoctlRequest CreateVm = Of(None, 0x01, 0, "KVM_CREATE_VM");
    public static readonly IoctlRequest CheckExtension = Of(None, 0x03, 0, "KVM_CHECK_EXTENSION");
    public static readonly IoctlRequest GetVcpuMmapSize = Of(None, 0x04, 0, "KVM_GET_VCPU_MMAP_SIZE");

    public static readonly IoctlRequest CreateVcpu = Of(None, 0x41, 0, "KVM_CREATE_VCPU");
    public static readonly IoctlRequest GetDirtyLog = Of(Write, 0x42, Native.DirtyLog.Bytes, "KVM_GET_DIRTY_LOG");
    public static readonly IoctlRequest ClearDirtyLog = Of(Read | Write, 0xc0, Native.ClearDirtyLog.Bytes, "KVM_CLEAR_DIRTY_LOG");
    public static readonly IoctlRequest SetUserMemoryRegion = Of(Write, 0x46, UserspaceMemoryRegion.Bytes, "KVM_SET_USER_MEMORY_REGION");
    public static readonly IoctlRequest IrqLine = Of(Write, 0x61, Native.IrqLevel.Bytes, "KVM_IRQ_LINE");
    public static readonly IoctlRequest EnableCapability = Of(Write, 0xa3, EnableCap.Bytes, "KVM_ENABLE_CAP");
    public static readonly IoctlRequest PreferredTarget = Of(Read, 0xaf, VcpuInit.Bytes, "KVM_ARM_PREFERRED_TARGET");
    public static readonly IoctlRequest SetCounterOffset = Of(Write, 0xb5, CounterOffset.Bytes, "KVM_ARM_SET_COUNTER_OFFSET");
    public static readonly IoctlRequest GetRegisterWritableMasks = Of(Read, 0xb6, RegisterMaskRange.Bytes, "KVM_ARM_GET_REG_WRITABLE_MASKS");
    public static readonly IoctlRequest CreateDevice = Of(Read | Write, 0xe0, Native.CreateDevice.Bytes, "KVM_CREATE_DEVICE");

    public static readonly IoctlRequest SetDeviceAttribute = Of(Write, 0xe1, DeviceAttr.Bytes, "KVM_SET_DEVICE_ATTR");
    public static readonly IoctlRequest GetDeviceAttribute = Of(Write, 0xe2, DeviceAttr.Bytes, "KVM_GET_DEVICE_ATTR");
    public static readonly IoctlRequest HasDeviceAttribute = Of(Write, 0xe3, DeviceAttr.Bytes, "KVM_HAS_DEVICE_ATTR");

    public static readonly IoctlRequest Run = Of(None, 0x80, 0, "KVM_RUN");
    public static readonly IoctlRequest SetSignalMask = Of(Write, 0x8b, 4, "KVM_SET_SIGNAL_MASK");
    public static readonly IoctlRequest GetMpState = Of(Read, 0x98, 4, "KVM_GET_MP_STATE");
    public static readonly IoctlRequest SetMpState = Of(Write, 0x99, 4, "KVM_SET_MP_STATE");
    public static readonly IoctlRequest SetGuestDebug = Of(Write, 0x9b, GuestDebug.Bytes, "KVM_SET_GUEST_DEBUG");
    public static readonly IoctlRequest GetVcpuEvents = Of(Read, 0x9f, VcpuEventsLayout.Bytes, "KVM_GET_VCPU_EVENTS");
    public static readonly IoctlRequest SetVcpuEvents = Of(Write, 0xa0, VcpuEventsLayout.Bytes, "KVM_SET_VCPU_EVENTS");
    public static readonly IoctlRequest GetOneRegister = Of(Write, 0xab, OneReg.Bytes, "KVM_GET_ONE_REG");
    public static readonly IoctlRequest SetOneRegister = Of(Write, 0xac, OneReg.Bytes, "KVM_SET_ONE_REG");
    public static readonly IoctlRequest VcpuInitialise = Of(Write, 0xae, VcpuInit.Bytes, "KVM_ARM_VCPU_INIT");
    public static readonly IoctlRequest GetRegisterList = Of(Read | Write, 0xb0, 8, "KVM_GET_REG_LIST");
    public static readonly IoctlRequest VcpuFinalize = Of(Write, 0xc2, 4, "KVM_ARM_VCPU_FINALIZE");

    private static IoctlRequest Of(uint direction, uint number, int size, string name) =>
        new(direction << 30 | (uint)size << 16 | KvmIo << 8 | number, name);
}
