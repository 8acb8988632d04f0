using System.Runtime.InteropServices;
using System.Text;
using Migrate.Linux.Native;
using Migrate.Model.Errors;
using static Migrate.Linux.Native.FileConstants;

namespace Migrate.Linux.Files;

/// <summary>One owner of a directory of state, among the processes that ask (flock(2): advisory, ended by the owner's death).</summary>
public sealed unsafe class OwnerLock : IDisposable
{
    /// <summary>The file that carries the lock and its owner's process id; it stays when the lock is given up.</summary>
    public const string FileName = ".owner";

    private readonly FileDescriptor _file;

    private OwnerLock(FileDescriptor file) => _file = file;

    /// <summary>Becomes the owner, or fails at once.</summary>
    /// <param name="directory">Must exist.</param>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Busy"/>: it has an owner.</exception>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public static OwnerLock Take(string directory) => TakeFile(Path.Combine(directory, FileName), directory, "Stop that process or choose another directory.");

    /// <summary>Becomes the owner of something that a lock file stands for, or fails at once.</summary>
    /// <param name="path">The lock file; made where it is not there, its directory must exist.</param>
    /// <param name="subject">What it stands for, for the message.</param>
    /// <param name="remedy">What to do when it has an owner.</param>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Busy"/>: it has an owner.</exception>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public static OwnerLock TakeFile(string path, string subject, string remedy)
    {
        var flags = O_RDWR | O_CREAT | O_CLOEXEC | OpenFlags.Here.NoFollow;
        var file = FileDescriptor.FromCall(Libc.open(path, flags, 0x180), "open", path);
        try
        {
            while (Libc.flock(file, LOCK_EX | LOCK_NB) != 0)
            {
                switch (Marshal.GetLastPInvokeError())
                {
                    case Errno.EINTR:
                        continue;
                    case Errno.EAGAIN:
                        throw new MigrateException(ErrorCode.Busy, $"{subject} belongs to another running process{OwnerOf(file)}")
                        {
                            Remedy = remedy,
                        };
                    default:
                        throw LinuxException.Last("flock", path);
                }
            }
            var text = Encoding.ASCII.GetBytes($"{Libc.getpid()}\n");
            fixed (byte* pointer = text)
            {
                if (Libc.ftruncate(file, 0) != 0 || Libc.pwrite(file, pointer, (nuint)text.Length, 0) != text.Length)
                    throw LinuxException.Last("pwrite", path);
            }
            return new OwnerLock(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Gives the directory up.</summary>
    public void Dispose() => _file.Dispose();

    /// <summary>The process id in the lock file, for the message only: it may be stale or foreign.</summary>
    private static string OwnerOf(FileDescriptor file)
    {
        var buffer = stackalloc byte[16];
        var length = Libc.read(file, buffer, 16);
        return length > 0 && int.TryParse(Encoding.ASCII.GetString(buffer, (int)length).Trim(), out var pid) ? $" (pid {pid})" : "";
    }
}
