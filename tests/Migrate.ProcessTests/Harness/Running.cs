using System.Diagnostics;
using Migrate.Linux.Processes;

namespace Migrate.ProcessTests.Harness;

/// <summary>A command that goes on.</summary>
internal sealed class Running : IDisposable
{
    private static readonly TimeSpan Patience = Hosting.Enough(TimeSpan.FromSeconds(60));
    private readonly List<string> _error = [];
    private readonly List<string> _output = [];
    private readonly Process _process;

    public Running(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => Append(_output, line.Data);
        process.ErrorDataReceived += (_, line) => Append(_error, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public int Pid => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>Waits until stderr has a line that contains a text, and returns that line.</summary>
    public string WaitFor(string text) => WaitFor(_error, text);

    /// <summary>The same for stdout.</summary>
    public string WaitForOutput(string text) => WaitFor(_output, text);

    public Ended Wait()
    {
        if (!_process.WaitForExit(Patience)) throw new TimeoutException($"it did not end in {Patience.TotalSeconds} s: {Text(_error)}");
        // Once more without a limit: then both streams are read to their ends.
        _process.WaitForExit();
        return new Ended(_process.ExitCode, Text(_output), Text(_error));
    }

    /// <summary>SIGINT.</summary>
    public void Interrupt() => Signals.Interrupt(Pid);

    /// <summary>SIGTERM.</summary>
    public void Terminate() => Signals.Terminate(Pid);

    /// <summary>Closes its standard input.</summary>
    public void EndInput() => _process.StandardInput.Close();

    /// <summary>SIGKILL; returns when it is gone.</summary>
    public void Kill()
    {
        if (!_process.HasExited) _process.Kill();
        _process.WaitForExit();
    }

    public void Dispose()
    {
        try
        {
            Kill();
        }
        catch (InvalidOperationException)
        {
            // Disposed of before: by a test, and now by its harness.
            return;
        }
        _process.Dispose();
    }

    private string WaitFor(List<string> lines, string text)
    {
        var since = Stopwatch.GetTimestamp();
        var ended = false;
        lock (lines)
        {
            while (true)
            {
                if (lines.Find(l => l.Contains(text, StringComparison.Ordinal)) is { } line) return line;
                // What it said last may still be on its way when it has ended.
                if (ended) throw new InvalidOperationException($"it ended with {_process.ExitCode} without saying '{text}': {string.Join('\n', lines)}");
                if (Stopwatch.GetElapsedTime(since) > Patience) throw new TimeoutException($"it did not say '{text}' in {Patience.TotalSeconds} s: {string.Join('\n', lines)}");
                Monitor.Wait(lines, 200);
                ended = _process.HasExited && !Monitor.Wait(lines, 200);
            }
        }
    }

    private static string Text(List<string> lines)
    {
        lock (lines) return string.Concat(lines.Select(l => l + "\n"));
    }

    private void Append(List<string> lines, string? line)
    {
        if (line is null) return;
        Hosting.Tell($"{Pid}: {line}");
        lock (lines)
        {
            lines.Add(line);
            Monitor.PulseAll(lines);
        }
    }
}
