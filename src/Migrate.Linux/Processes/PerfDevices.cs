using System.Globalization;
using Migrate.Model.Errors;

namespace Migrate.Linux.Processes;

/// <summary>The event sources of this host by name: what a PMU is called, and the number by which this boot knows it.</summary>
/// <remarks>Source: Documentation/ABI/testing/sysfs-bus-event_source-devices; kernel/events/core.c <c>perf_pmu_register</c> hands the numbers out as drivers come.</remarks>
public static class PerfDevices
{
    /// <summary>Where they are.</summary>
    public const string DefaultPath = "/sys/bus/event_source/devices";

    private const int LongestName = 64;

    /// <summary>Every one whose number can be read, by name in ordinal order; empty where there is no sysfs.</summary>
    /// <param name="path">The directory with one directory, or link to one, a device.</param>
    public static IReadOnlyList<(string Name, int Type)> List(string path = DefaultPath)
    {
        string[] directories;
        try
        {
            directories = Directory.GetDirectories(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
        var found = new List<(string Name, int Type)>(directories.Length);
        foreach (var directory in directories)
        {
            var name = Path.GetFileName(directory);
            if (name.Length <= LongestName && TypeOf(directory) is { } type) found.Add((name, type));
        }
        found.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        return found;
    }

    private static int? TypeOf(string directory)
    {
        try
        {
            var text = ProcFile.TryRead(Path.Combine(directory, "type"));
            return int.TryParse(text.AsSpan().Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var type) ? type : null;
        }
        catch (MigrateException)
        {
            return null;
        }
    }
}
