using System.Runtime.InteropServices;
using Migrate.Linux.Native;
using static Migrate.Linux.Native.FileConstants;

namespace Migrate.Linux.Files;

/// <summary>Names that survive a crash: a rename is durable only once its directory is synchronised.</summary>
public static class DurableDirectory
{
    /// <summary>Makes the names in a directory durable.</summary>
    /// <exception cref="LinuxException">It is no directory, or the storage failed.</exception>
    public static void Synchronise(string path)
    {
        using var directory = Open(path);
        Synchronise(directory, path);
    }

    /// <summary>Gives a finished temporary file or directory its name: synchronises it, renames it, synchronises its new directory.</summary>
    /// <param name="temporary">On the same file system; of a directory only its names are synchronised, its files must be already.</param>
    /// <param name="final">Replaced in one step if it is a file, or an empty directory where <paramref name="temporary"/> is one.</param>
    /// <exception cref="LinuxException">The kernel refused. Unless it was the last step, the old state still stands.</exception>
    public static void Publish(string temporary, string final)
    {
        using (var content = FileDescriptor.FromCall(Libc.open(temporary, O_RDONLY | O_CLOEXEC | OpenFlags.Here.NoFollow, 0), "open", temporary))
            Synchronise(content, temporary);
        Rename(temporary, final);
        Synchronise(Parent(final));
    }

    internal static void Rename(string temporary, string final)
    {
        if (Libc.rename(temporary, final) != 0)
            throw LinuxException.Last("rename", $"{temporary} to {final}");
    }

    internal static void Synchronise(SafeHandle file, string path)
    {
        while (Libc.fsync(file) != 0)
        {
            if (Marshal.GetLastPInvokeError() != Errno.EINTR)
                throw LinuxException.Last("fsync", path);
        }
    }

    internal static FileDescriptor Open(string path) =>
        FileDescriptor.FromCall(Libc.open(path, O_RDONLY | O_CLOEXEC | OpenFlags.Here.Directory, 0), "open", path);

    internal static string Parent(string path) => Path.GetDirectoryName(Path.GetFullPath(path)) ?? "/";
}
