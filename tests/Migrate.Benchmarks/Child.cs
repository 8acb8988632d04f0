using System.Diagnostics;
using Migrate.Linux.Processes;

namespace Migrate.Benchmarks;

/// <summary>A child process whose lines are read and whose own memory is watched: what is resident beyond memory shared with a guest.</summary>
internal sealed class Child : IDisposable
{
    private readonly Process _process;
    private readonly Timer _watch;
    private long _peakOwnBytes;

    private Child(Process process)
    {
        _process = process;
        _watch = new Timer(_ => Sample(), null, TimeSpan.Zero, TimeSpan.FromMilliseconds(10));
    }

    /// <summary>This program.</summary>
    public static string Self => typeof(Child).Assembly.Location;

    /// <summary>The command line under measurement, built beside this program.</summary>
    public static string Vmmigrate => Path.Combine(AppContext.BaseDirectory, "vmmigrate.dll");

    /// <summary>Largest sum of RssAnon and RssFile seen, sampled every 10 ms.</summary>
    public long PeakOwnBytes => Interlocked.Read(ref _peakOwnBytes);

    public static Child Start(string assembly, params string[] args) => Start(assembly, args, new Dictionary<string, string>());

    public static Child Start(string assembly, string[] args, IReadOnlyDictionary<string, string> environment)
    {
        var start = new ProcessStartInfo("dotnet", [assembly, .. args]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        return new Child(Process.Start(start)!);
    }

    public string ReadLine() => _process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("the child ended: " + _process.StandardError.ReadToEnd());

    /// <summary>Reads stderr up to a line that contains a text.</summary>
    public string WaitForError(string text)
    {
        while (_process.StandardError.ReadLine() is { } line)
            if (line.Contains(text, StringComparison.Ordinal)) return line;
        throw new InvalidOperationException($"the child ended without saying '{text}'");
    }

    public string ReadToEnd() => _process.StandardOutput.ReadToEnd();

    public void WaitForSuccess()
    {
        var errors = _process.StandardError.ReadToEnd();
        _process.WaitForExit();
        if (_process.ExitCode != 0) throw new InvalidOperationException($"exit code {_process.ExitCode}: {errors}");
    }

    private void Sample()
    {
        try
        {
            if (ProcessMemory.Of(_process.Id) is { } memory && memory.OwnBytes > PeakOwnBytes) Interlocked.Exchange(ref _peakOwnBytes, memory.OwnBytes);
        }
        catch (InvalidOperationException)
        {
            // The process has gone; what was seen stays.
        }
    }

    public void Dispose()
    {
        _watch.Dispose();
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }
}
