using System.Diagnostics;

namespace Migrate.Benchmarks;

/// <summary><c>check</c> on two files, cold: a new process each time, from start to exit. Compared with a runtime that starts and does nothing.</summary>
internal static class CheckBenchmark
{
    private const double LimitMilliseconds = 250;

    public static bool Run(int runs)
    {
        var captures = Path.Combine(RepositoryRoot, "tests", "Data", "captures");
        string[] check = ["check", Path.Combine(captures, "7.2.neoverse-n1.all.txt"), Path.Combine(captures, "6.12.neoverse-n1.all.txt")];
        var (cold, floor) = (new Figures(), new Figures());
        for (var i = 0; i < runs * 2; i++)
        {
            floor.Add(Time("--version"));
            cold.Add(Time(check));
        }
        Console.WriteLine($"check  --version {floor.Text("0", " ms")}, check {cold.Text("0", " ms")}, ratio {cold.Median / floor.Median:0.00}");
        return Figures.Promise($"check on two files cold under {LimitMilliseconds} ms", cold.Text("0", " ms"), cold.Median < LimitMilliseconds);
    }

    public static string RepositoryRoot
    {
        get
        {
            var directory = new DirectoryInfo(AppContext.BaseDirectory);
            while (!File.Exists(Path.Combine(directory.FullName, "Migrate.sln"))) directory = directory.Parent ?? throw new InvalidOperationException("not inside a checkout");
            return directory.FullName;
        }
    }

    private static double Time(params string[] args)
    {
        var clock = Stopwatch.StartNew();
        using var process = Process.Start(new ProcessStartInfo("dotnet", [Child.Vmmigrate, .. args]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode is not (0 or 1 or 6)) throw new InvalidOperationException($"check exited {process.ExitCode}: {process.StandardError.ReadToEnd()}");
        return clock.Elapsed.TotalMilliseconds;
    }
}
