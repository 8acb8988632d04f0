using System.Diagnostics;

namespace Migrate.LabGuest.Jobs;

/// <summary>
/// Gives the vCPU threads of every process a few milliseconds in a hundred, as long as this lives: a threaded control group with a CPU limit. An emulated host
/// has one CPU, and each entry into a guest costs the others what the emulator had translated of them: beside a guest in a loop a command took ten times as long.
/// </summary>
internal sealed class RationedVcpus : IDisposable
{
    private const string Root = "/tmp/cgroup";

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    private readonly ManualResetEventSlim _end = new();
    private readonly Thread _thread;
    private readonly string _group = Path.Combine(Root, "vcpus");

    public RationedVcpus()
    {
        if (!File.Exists(Path.Combine(Root, "cgroup.procs"))) Mount();
        File.WriteAllText(Path.Combine(Root, "cgroup.subtree_control"), "+cpu");
        Directory.CreateDirectory(_group);
        File.WriteAllText(Path.Combine(_group, "cgroup.type"), "threaded");
        File.WriteAllText(Path.Combine(_group, "cpu.max"), "3000 100000");
        _thread = new Thread(Watch) { IsBackground = true, Name = "rationed-vcpus" };
        _thread.Start();
    }

    public void Dispose()
    {
        _end.Set();
        _thread.Join();
        _end.Dispose();
    }

    private static void Mount()
    {
        Directory.CreateDirectory(Root);
        using var mount = Process.Start("/bin/busybox", ["mount", "-t", "cgroup2", "none", Root]);
        mount.WaitForExit();
        CheckFailedException.Equal(0, mount.ExitCode, "mount of control groups");
    }

    private void Watch()
    {
        HashSet<string> known = [], young = [];
        while (!_end.Wait(Pause))
        {
            foreach (var process in Directory.EnumerateDirectories("/proc").Where(d => char.IsAsciiDigit(d[^1])))
            {
                try
                {
                    foreach (var thread in Directory.EnumerateDirectories(Path.Combine(process, "task")))
                    {
                        if (known.Contains(thread)) continue;
                        var isVcpu = IsVcpu(File.ReadAllText(Path.Combine(thread, "comm")));
                        if (isVcpu) File.WriteAllText(Path.Combine(_group, "cgroup.threads"), Path.GetFileName(thread));
                        // A new thread may not have its name yet.
                        if (isVcpu || !young.Add(thread)) known.Add(thread);
                    }
                }
                catch (IOException)
                {
                    // It ended.
                }
            }
        }
    }

    private static bool IsVcpu(string name) => name.StartsWith("vcpu-", StringComparison.Ordinal) && char.IsAsciiDigit(name[5]);
}
