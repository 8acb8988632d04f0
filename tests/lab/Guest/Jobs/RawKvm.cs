using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Migrate.LabGuest.Jobs;

/// <summary>The few KVM calls that tell whether a host has an arm64 KVM at all, without the code under test.</summary>
/// <remarks>Numbers from include/uapi/linux/kvm.h; they are the same for x86-64 and arm64.</remarks>
internal static partial class RawKvm
{
    public const uint GetApiVersion = 0xAE00;
    public const uint CreateVm = 0xAE01;
    public const uint CheckExtension = 0xAE03;
    public const uint GetVcpuMmapSize = 0xAE04;
    public const uint CreateVcpu = 0xAE41;
    public const uint ArmVcpuInit = 0x4020AEAE;
    public const uint ArmPreferredTarget = 0x8020AEAF;

    public static SafeFileHandle Open()
    {
        var handle = open("/dev/kvm", ReadWrite | CloseOnExec);
        if (handle.IsInvalid)
            throw Failed("open /dev/kvm");
        return handle;
    }

    public static int Call(SafeFileHandle handle, uint request, nint argument, string what)
    {
        var result = ioctl(handle, request, argument);
        return result >= 0 ? result : throw Failed(what);
    }

    private const int ReadWrite = 2;
    private const int CloseOnExec = 0x80000;

    private static CheckFailedException Failed(string what)
    {
        var errno = Marshal.GetLastPInvokeError();
        return new CheckFailedException($"{what}: errno {errno}, {Marshal.GetPInvokeErrorMessage(errno)}");
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle open(string path, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ioctl(SafeFileHandle handle, nuint request, nint argument);
}
