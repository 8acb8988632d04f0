using Migrate.Model.Errors;

namespace Migrate.Linux.Processes;

/// <summary>The running kernel's boot.</summary>
public static class Boot
{
    private const string Path = "/proc/sys/kernel/random/boot_id";

    /// <summary>A random id that is new at every boot (drivers/char/random.c), in its textual form of 36 characters.</summary>
    /// <exception cref="MigrateException">procfs is not mounted, or the text is not an id.</exception>
    public static string Id { get; } = Read();

    private static string Read()
    {
        var text = ProcFile.TryRead(Path)?.Trim();
        return Guid.TryParseExact(text, "D", out _)
            ? text!
            : throw new MigrateException(ErrorCode.System, $"{Path} has no boot id: is procfs mounted?");
    }
}
