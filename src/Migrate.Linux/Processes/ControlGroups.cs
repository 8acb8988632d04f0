using System.Globalization;

namespace Migrate.Linux.Processes;

/// <summary>The control groups (version 2) that this process is in, and so the processes that it starts. Limits of version 1 are not read.</summary>
/// <remarks>Source: Documentation/admin-guide/cgroup-v2.rst, "Memory Interface Files".</remarks>
internal static class ControlGroups
{
    private const string Mount = "/sys/fs/cgroup";

    /// <summary>Bytes of memory that the tightest of them leaves; null where none has a limit.</summary>
    public static ulong? MemoryLeft() => ProcFile.TryRead("/proc/self/cgroup") is { } groups ? MemoryLeft(Mount, groups) : null;

    internal static ulong? MemoryLeft(string mount, string groups)
    {
        // "0::/system.slice/agent.service"; the lines of version 1 have other numbers.
        var own = groups.Split('\n').FirstOrDefault(line => line.StartsWith("0::/", StringComparison.Ordinal));
        ulong? least = null;
        for (var group = own?[3..]; group is not null; group = Parent(group))
            if (LeftIn(mount + group) is { } left && (least is null || left < least)) least = left;
        return least;
    }

    private static string? Parent(string group) => group.TrimEnd('/') is { Length: > 0 } path ? path[..path.LastIndexOf('/')] + "/" : null;

    /// <summary>What is charged to a group and is page cache can be had again; the root has no limit.</summary>
    private static ulong? LeftIn(string directory)
    {
        if (Number(ProcFile.TryRead(Path.Combine(directory, "memory.max"))) is not { } limit
            || Number(ProcFile.TryRead(Path.Combine(directory, "memory.current"))) is not { } charged) return null;
        foreach (var line in (ProcFile.TryRead(Path.Combine(directory, "memory.stat")) ?? "").Split('\n'))
            if (line.Split(' ') is ["active_file" or "inactive_file", var bytes] && Number(bytes) is { } cache) charged -= Math.Min(charged, cache);
        return limit - Math.Min(limit, charged);
    }

    /// <summary>A number of bytes; "max" is none.</summary>
    private static ulong? Number(string? text) => ulong.TryParse(text?.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var bytes) ? bytes : null;
}
