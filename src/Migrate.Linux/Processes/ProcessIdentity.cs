using System.Globalization;
using Migrate.Model.Errors;

namespace Migrate.Linux.Processes;

/// <summary>One process among all that ever had or will have its number.</summary>
/// <param name="BootId">The boot it runs in.</param>
/// <param name="Pid">Its number.</param>
/// <param name="StartTicks">When it started, in clock ticks since boot (field 22 of proc_pid_stat(5)).</param>
public readonly record struct ProcessIdentity(string BootId, int Pid, ulong StartTicks)
{
    /// <summary>This process.</summary>
    public static ProcessIdentity Self { get; } = Of(Environment.ProcessId)
        ?? throw new MigrateException(ErrorCode.System, "/proc/self/stat cannot be read: is procfs mounted?");

    /// <summary>Whether exactly this process still runs: not a later one with its number, not a zombie, not one of an earlier boot.</summary>
    public bool IsAlive => BootId == Boot.Id && Of(Pid) == this;

    /// <summary>The process that has a number now; null when there is none, or only a zombie.</summary>
    public static ProcessIdentity? Of(int pid)
    {
        if (ProcFile.TryRead($"/proc/{pid}/stat") is not { } stat || !TryParse(stat, out var state, out var startTicks))
            return null;
        return state is 'Z' or 'X' ? null : new ProcessIdentity(Boot.Id, pid, startTicks);
    }

    /// <summary>State and start out of a stat line. The second field is the program's name, which may hold blanks and brackets.</summary>
    internal static bool TryParse(string stat, out char state, out ulong startTicks)
    {
        state = default;
        startTicks = 0;
        var end = stat.LastIndexOf(')');
        if (end < 0)
            return false;
        var fields = stat[(end + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        // fields[0] is field 3 of the manual page.
        if (fields.Length < 20 || fields[0].Length != 1)
            return false;
        state = fields[0][0];
        return ulong.TryParse(fields[19], NumberStyles.None, CultureInfo.InvariantCulture, out startTicks);
    }
}
