using System.Diagnostics;

namespace Migrate.LabGuest.Jobs;

/// <summary>
/// Lets vCPU threads of every process run when nobody else wants to, as long as this lives. An emulated host has one CPU; a guest takes its share of it, and
/// each entry into it costs the others what the emulator had translated.
/// </summary>
internal sealed class YieldingVcpus : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    private readonly ManualResetEventSlim _end = new();
    private readonly Thread _thread;

    public YieldingVcpus()
    {
        _thread = new Thread(Watch) { IsBackground = true, Name = "yielding-vcpus" };
        _thread.Start();
    }

    public void Dispose()
    {
        _end.Set();
        _thread.Join();
        _end.Dispose();
    }

    private void Watch()
    {
        var known = new HashSet<string>();
        while (!_end.Wait(Pause))
        {
            foreach (var process in Directory.EnumerateDirectories("/proc").Where(d => char.IsAsciiDigit(d[^1])))
            {
                try
                {
                    foreach (var thread in Directory.EnumerateDirectories(Path.Combine(process, "task")))
                        if (known.Add(thread) && IsVcpu(File.ReadAllText(Path.Combine(thread, "comm")))) Yield(Path.GetFileName(thread));
                }
                catch (IOException)
                {
                    // It ended.
                }
            }
        }
    }

    private static bool IsVcpu(string name) => name.StartsWith("vcpu-", StringComparison.Ordinal) && char.IsAsciiDigit(name[5]);

    private static void Yield(string thread)
    {
        using var renice = Process.Start(new ProcessStartInfo("/bin/busybox", ["renice", "-n", "19", "-p", thread]) { RedirectStandardOutput = true })!;
        renice.WaitForExit();
    }
}
