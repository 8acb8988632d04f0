using System.Runtime.InteropServices;
using Migrate.Linux.Native;

namespace Migrate.Linux.Files;

/// <summary>Which file a path names right now, a symbolic link taken as itself.</summary>
internal readonly record struct FileIdentity(uint DeviceMajor, uint DeviceMinor, ulong Inode, bool IsSocket)
{
    /// <summary>Null when there is none.</summary>
    public static unsafe FileIdentity? Of(string path)
    {
        Statx status;
        if (Libc.statx(FileConstants.AT_FDCWD, path, FileConstants.AT_SYMLINK_NOFOLLOW, FileConstants.STATX_BASIC_STATS, &status) == 0)
        {
            var isSocket = (status.Mode & FileConstants.ModeTypeMask) == FileConstants.ModeSocket;
            return new FileIdentity(status.DeviceMajor, status.DeviceMinor, status.Inode, isSocket);
        }
        return Marshal.GetLastPInvokeError() == Errno.ENOENT ? null : throw LinuxException.Last("statx", path);
    }
}
