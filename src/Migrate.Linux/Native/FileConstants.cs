using System.Runtime.InteropServices;

namespace Migrate.Linux.Native;

/// <summary>Constants of files. Equal on x86-64 and arm64 (uapi asm-generic/fcntl.h, linux/stat.h, linux/fcntl.h) but for <see cref="OpenFlags"/>.</summary>
internal static class FileConstants
{
    public const int O_RDONLY = 0x0;
    public const int O_WRONLY = 0x1;
    public const int O_RDWR = 0x2;
    public const int O_CREAT = 0x40;
    public const int O_EXCL = 0x80;
    public const int O_APPEND = 0x400;
    public const int O_NONBLOCK = 0x800;
    public const int O_CLOEXEC = 0x80000;

    public const int AT_FDCWD = -100;
    public const int AT_SYMLINK_NOFOLLOW = 0x100;
    public const int AT_EMPTY_PATH = 0x1000;
    public const uint STATX_BASIC_STATS = 0x7ff;

    /// <summary>S_IFMT.</summary>
    public const int ModeTypeMask = 0xf000;

    /// <summary>S_IFREG.</summary>
    public const int ModeRegular = 0x8000;

    /// <summary>S_IFSOCK.</summary>
    public const int ModeSocket = 0xc000;

    public const int LOCK_EX = 2;
    public const int LOCK_NB = 4;
}

/// <summary>The open flags that differ between architectures: arm64 overrides the generic values in arch/arm64/include/uapi/asm/fcntl.h.</summary>
internal readonly record struct OpenFlags(int Directory, int NoFollow)
{
    public static OpenFlags X64 { get; } = new(Directory: 0x10000, NoFollow: 0x20000);

    public static OpenFlags Arm64 { get; } = new(Directory: 0x4000, NoFollow: 0x8000);

    public static OpenFlags Here { get; } = Of(RuntimeInformation.ProcessArchitecture);

    public static OpenFlags Of(Architecture architecture) => architecture switch
    {
        Architecture.X64 => X64,
        Architecture.Arm64 => Arm64,
        _ => throw new PlatformNotSupportedException($"vmmigrate runs on arm64 and x86-64, not on {architecture}"),
    };
}

/// <summary><c>struct statx</c>, the one stat layout that does not depend on the architecture (uapi linux/stat.h).</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct Statx
{
    [FieldOffset(20)]
    public uint Uid;

    [FieldOffset(28)]
    public ushort Mode;

    [FieldOffset(32)]
    public ulong Inode;

    [FieldOffset(40)]
    public ulong Size;

    [FieldOffset(136)]
    public uint DeviceMajor;

    [FieldOffset(140)]
    public uint DeviceMinor;
}
