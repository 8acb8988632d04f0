using System.Diagnostics;

namespace Migrate.ProcessTests.Harness;

/// <summary>Processes that are not children of the test: machines that an agent started.</summary>
internal static class Processes
{
    /// <summary>SIGKILL; returns when nothing of it runs any more. One that has gone is no error.</summary>
    /// <remarks>Whoever inherits it may take its time to collect it, so a zombie counts as gone.</remarks>
    public static void Kill(int pid)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            process.Kill();
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            return;
        }
        while (!IsGone(pid)) Thread.Sleep(2);
    }

    /// <summary>Kills all whose environment has a text, until there is none: one may be starting another while it is killed.</summary>
    public static void KillAll(string environment)
    {
        while (Find(environment) is { Count: > 0 } found) found.ForEach(Kill);
    }

    private static List<int> Find(string environment)
    {
        List<int> found = [];
        foreach (var directory in Directory.GetDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(directory), out var pid)) continue;
            try
            {
                if (File.ReadAllText($"/proc/{pid}/environ").Contains(environment, StringComparison.Ordinal)) found.Add(pid);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Somebody else's process, or one that has just ended.
            }
        }
        return found;
    }

    private static bool IsGone(int pid)
    {
        try
        {
            // The state follows the name in parentheses, which may hold any character.
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            return stat[stat.LastIndexOf(')') + 2] is 'Z' or 'X';
        }
        catch (IOException)
        {
            return true;
        }
    }
}
