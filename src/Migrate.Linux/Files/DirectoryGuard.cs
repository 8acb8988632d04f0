using System.Diagnostics;
using System.Runtime.InteropServices;
using Migrate.Linux.Native;
using Migrate.Model.Errors;
using static Migrate.Linux.Native.FileConstants;

namespace Migrate.Linux.Files;

/// <summary>A short critical section among processes that work in one directory: flock on the directory itself, so that no file is left behind.</summary>
internal sealed class DirectoryGuard : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);
    private readonly FileDescriptor _directory;

    private DirectoryGuard(FileDescriptor directory) => _directory = directory;

    /// <summary>Waits for the others to leave; not for ever, since anybody who can read the directory can hold it.</summary>
    public static DirectoryGuard Take(string path, TimeSpan patience)
    {
        var directory = DurableDirectory.Open(path);
        try
        {
            var since = Stopwatch.GetTimestamp();
            while (Libc.flock(directory, LOCK_EX | LOCK_NB) != 0)
            {
                var errno = Marshal.GetLastPInvokeError();
                if (errno is not (Errno.EAGAIN or Errno.EINTR))
                    throw new LinuxException("flock", errno, path);
                if (Stopwatch.GetElapsedTime(since) > patience)
                    throw new MigrateException(ErrorCode.Busy, $"another process has held {path} locked for {patience.TotalSeconds:0} s") { IsTransient = true };
                Thread.Sleep(Pause);
            }
            return new DirectoryGuard(directory);
        }
        catch
        {
            directory.Dispose();
            throw;
        }
    }

    public void Dispose() => _directory.Dispose();
}
