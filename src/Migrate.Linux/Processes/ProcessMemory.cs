using System.Globalization;
using Migrate.Model.Errors;

namespace Migrate.Linux.Processes;

/// <summary>Memory of a process in bytes, from <c>/proc/PID/status</c> (proc_pid_status(5)). Guest memory on a memfd counts as shared only.</summary>
/// <param name="Resident">VmRSS: all that is in RAM.</param>
/// <param name="PeakResident">VmHWM: the most that <paramref name="Resident"/> ever was, shared memory included.</param>
/// <param name="Anonymous">RssAnon: heaps and stacks.</param>
/// <param name="FileBacked">RssFile: mapped files, code above all.</param>
/// <param name="Shared">RssShmem: memfds and other shared memory.</param>
/// <remarks>The kernel keeps no peak of the parts: a peak of Anonymous + FileBacked must be sampled.</remarks>
public readonly record struct ProcessMemory(long Resident, long PeakResident, long Anonymous, long FileBacked, long Shared)
{
    /// <summary>Everything but shared memory: what the process itself costs beside guest memory.</summary>
    public long OwnBytes => Anonymous + FileBacked;

    /// <summary>This process.</summary>
    /// <exception cref="MigrateException">procfs is not mounted or not readable.</exception>
    public static ProcessMemory OfSelf() =>
        Parse(ProcFile.TryRead("/proc/self/status") ?? throw new MigrateException(ErrorCode.System, "/proc/self/status cannot be read: is procfs mounted?"));

    /// <summary>Another process; null when it is gone.</summary>
    /// <exception cref="MigrateException">Not allowed.</exception>
    public static ProcessMemory? Of(int pid) => ProcFile.TryRead($"/proc/{pid}/status") is { } status ? Parse(status) : null;

    /// <summary>The fields out of a status file; those that are not there (a zombie has none) are 0.</summary>
    internal static ProcessMemory Parse(string status)
    {
        long resident = 0, peak = 0, anonymous = 0, file = 0, shared = 0;
        foreach (var line in status.AsSpan().EnumerateLines())
        {
            var colon = line.IndexOf(':');
            if (colon < 0 || !line.EndsWith(" kB"))
                continue;
            if (!long.TryParse(line[(colon + 1)..^3].Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var kilobytes))
                continue;
            var bytes = kilobytes * 1024;
            switch (line[..colon])
            {
                case "VmRSS": resident = bytes; break;
                case "VmHWM": peak = bytes; break;
                case "RssAnon": anonymous = bytes; break;
                case "RssFile": file = bytes; break;
                case "RssShmem": shared = bytes; break;
            }
        }
        return new ProcessMemory(resident, peak, anonymous, file, shared);
    }
}
