using System.Diagnostics;

namespace Migrate.Benchmarks;

/// <summary>What else the machine does, and what this process alone has used.</summary>
internal static class Load
{
    /// <summary>Runnable tasks, averaged over the last minute.</summary>
    public static string Average => File.ReadAllText("/proc/loadavg").Split(' ')[0];

    /// <summary>Processor time of this process, all threads: what a busy neighbour lengthens least.</summary>
    public static TimeSpan Processor
    {
        get
        {
            using var self = Process.GetCurrentProcess();
            return self.TotalProcessorTime;
        }
    }
}
