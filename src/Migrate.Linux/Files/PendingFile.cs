using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using Migrate.Linux.Native;
using Migrate.Model.Errors;
using static Migrate.Linux.Native.FileConstants;

namespace Migrate.Linux.Files;

/// <summary>A file being written under a temporary name beside its final one. Nothing shows at the final name before <see cref="Commit"/>.</summary>
/// <remarks>A process killed in between leaves the temporary file; <see cref="RemoveAbandoned"/> clears those.</remarks>
public sealed unsafe class PendingFile : IDisposable
{
    private const string Suffix = ".pending";
    private bool _committed;

    private PendingFile(SafeFileHandle handle, string temporaryPath, string finalPath)
    {
        Handle = handle;
        TemporaryPath = temporaryPath;
        FinalPath = finalPath;
    }

    /// <summary>For positional reads and writes (<see cref="RandomAccess"/>); what is never written stays a hole.</summary>
    public SafeFileHandle Handle { get; }

    /// <summary>Where the content is until it is committed.</summary>
    public string TemporaryPath { get; }

    /// <summary>Where it will be.</summary>
    public string FinalPath { get; }

    /// <summary>Begins an empty file.</summary>
    /// <param name="path">The final name; its directory must exist.</param>
    /// <param name="mode">Permissions, whatever the umask.</param>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Usage"/>: the path has no file name.</exception>
    public static PendingFile Create(string path, UnixFileMode mode)
    {
        var final = Path.GetFullPath(path);
        var name = Path.GetFileName(final);
        if (name.Length == 0)
            throw new MigrateException(ErrorCode.Usage, $"{path} has no file name");
        var temporary = Path.Combine(DurableDirectory.Parent(final), $".{name}.{RandomNumberGenerator.GetHexString(12, lowercase: true)}{Suffix}");
        var answer = Libc.open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0x180);
        if (answer < 0)
            throw LinuxException.Last("open", temporary);
        var pending = new PendingFile(new SafeFileHandle(answer, ownsHandle: true), temporary, final);
        if (Libc.fchmod(pending.Handle, (uint)mode) == 0)
            return pending;
        var error = LinuxException.Last("fchmod", temporary);
        pending.Dispose();
        throw error;
    }

    /// <summary>Writes every byte at a position.</summary>
    /// <exception cref="LinuxException">The kernel refused: ENOSPC, EIO.</exception>
    public void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        fixed (byte* pointer = bytes)
        {
            nint done = 0;
            while (done < bytes.Length)
            {
                var written = Libc.pwrite(Handle, pointer + done, (nuint)(bytes.Length - done), offset + done);
                if (written >= 0)
                    done += written;
                else if (Marshal.GetLastPInvokeError() != Errno.EINTR)
                    throw LinuxException.Last("pwrite", $"{TemporaryPath} at {offset + done}");
            }
        }
    }

    /// <summary>Sets the size; what is added is a hole.</summary>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public void SetLength(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        if (Libc.ftruncate(Handle, bytes) != 0)
            throw LinuxException.Last("ftruncate", $"{TemporaryPath} to {bytes} bytes");
    }

    /// <summary>Makes the content durable and gives it its final name, replacing what was there.</summary>
    /// <exception cref="LinuxException">The kernel refused. Unless it was the last synchronisation of the directory, the old file still stands.</exception>
    public void Commit()
    {
        DurableDirectory.Synchronise(Handle, TemporaryPath);
        DurableDirectory.Rename(TemporaryPath, FinalPath);
        _committed = true;
        DurableDirectory.Synchronise(DurableDirectory.Parent(FinalPath));
    }

    /// <summary>Closes it, and removes it unless it was committed.</summary>
    public void Dispose()
    {
        if (Handle.IsClosed)
            return;
        if (!_committed)
            _ = Libc.unlink(TemporaryPath);
        Handle.Dispose();
    }

    /// <summary>Removes the temporary files that killed processes left in a directory. Only for its one owner (<see cref="OwnerLock"/>).</summary>
    /// <returns>How many there were.</returns>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public static int RemoveAbandoned(string directory)
    {
        var removed = 0;
        foreach (var path in Directory.EnumerateFiles(directory, $".*{Suffix}", new EnumerationOptions { AttributesToSkip = 0 }))
        {
            if (Libc.unlink(path) != 0)
                throw LinuxException.Last("unlink", path);
            removed++;
        }
        return removed;
    }
}
