using System.Globalization;
using Migrate.Model.Errors;

namespace Migrate.Linux.Processes;

/// <summary>Memory of this host.</summary>
public static class HostMemory
{
    private const string Path = "/proc/meminfo";

    /// <summary>Bytes that can be had without swapping: the kernel's own estimate (MemAvailable; mm/show_mem.c si_mem_available), or what this process's
    /// control groups leave if that is less.</summary>
    /// <exception cref="MigrateException">procfs is not mounted, or does not say it.</exception>
    public static ulong Available()
    {
        var host = Parse(ProcFile.TryRead(Path))
            ?? throw new MigrateException(ErrorCode.System, $"{Path} does not say how much memory is available: is procfs mounted?");
        return Math.Min(host, ControlGroups.MemoryLeft() ?? host);
    }

    internal static ulong? Parse(string? meminfo)
    {
        foreach (var line in (meminfo ?? "").Split('\n'))
        {
            // "MemAvailable:   24123456 kB"
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words is ["MemAvailable:", var number, "kB"] && ulong.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var kib)) return kib << 10;
        }
        return null;
    }
}
