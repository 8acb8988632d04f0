using Migrate.Model.Errors;

namespace Migrate.Linux.Files;

/// <summary>Small files that are either the old or the new one after a crash, never a part.</summary>
public static class DurableFile
{
    /// <summary>Replaces or creates a file; durable when this returns.</summary>
    /// <param name="path">Its directory must exist.</param>
    /// <param name="content">All of it.</param>
    /// <param name="mode">Permissions, whatever the umask.</param>
    /// <exception cref="LinuxException">The kernel refused. Unless it was the last synchronisation of the directory, the old file still stands.</exception>
    /// <exception cref="MigrateException">The path has no file name.</exception>
    public static void WriteAtomically(string path, ReadOnlySpan<byte> content, UnixFileMode mode)
    {
        using var pending = PendingFile.Create(path, mode);
        pending.Write(0, content);
        pending.Commit();
    }
}
