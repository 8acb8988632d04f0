using Microsoft.Win32.SafeHandles;
using Migrate.Linux.Native;
using Migrate.Model.Errors;
using static Migrate.Linux.Native.FileConstants;

namespace Migrate.Linux.Files;

/// <summary>Files of storage, as opposed to pipes, sockets and devices, on which an open or a read could wait for ever.</summary>
public static class RegularFile
{
    /// <summary>Opens a file for positional reads (<see cref="RandomAccess"/>) without waiting for anything.</summary>
    /// <param name="path">The file; a symbolic link is followed.</param>
    /// <param name="length">Its size in bytes at this moment.</param>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Malformed"/>: it is no regular file.</exception>
    public static unsafe SafeFileHandle OpenForReading(string path, out long length)
    {
        var answer = Libc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
        if (answer < 0)
            throw LinuxException.Last("open", path);
        var file = new SafeFileHandle(answer, ownsHandle: true);
        try
        {
            Statx status;
            if (Libc.statx(file, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &status) != 0)
                throw LinuxException.Last("statx", path);
            if ((status.Mode & ModeTypeMask) != ModeRegular)
                throw new MigrateException(ErrorCode.Malformed, $"{path} is no regular file");
            length = checked((long)status.Size);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }
}
