using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace Migrate.LabGuest.Jobs;

/// <summary>A QEMU process on this host: the board virt with one stopped vCPU, the host's own CPU, under KVM, spoken to by QMP.</summary>
public sealed class NativeQemu : IDisposable
{
    /// <summary>Where the image holds the program and its libraries.</summary>
    public const string Folder = "qemu";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private readonly Process _process;
    private readonly StringBuilder _errors = new();

    /// <summary>Starts one.</summary>
    /// <param name="more">Arguments behind those of the machine.</param>
    public NativeQemu(params IEnumerable<string> more)
    {
        // Through the loader: nothing of the host then picks these libraries up by accident.
        var start = new ProcessStartInfo("/lib/ld-linux-aarch64.so.1",
        [
            "--library-path", $"/{Folder}:/lib/aarch64-linux-gnu", $"/{Folder}/qemu-system-aarch64",
            "-machine", "virt,gic-version=3,accel=kvm", "-cpu", "host", "-m", "64M", "-nodefaults", "-display", "none", "-nic", "none",
            "-S", "-qmp", "stdio", .. more,
        ])
        { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        _process = Process.Start(start)!;
        _process.ErrorDataReceived += (_, line) =>
        {
            lock (_errors) _errors.AppendLine(line.Data);
        };
        _process.BeginErrorReadLine();
        if (Next() is not { } greeting) return;
        Version = greeting.GetProperty("QMP").GetProperty("version").GetProperty("package").GetString()!;
        Ask("qmp_capabilities");
    }

    /// <summary>What QEMU calls its version; null when it ended before it could say.</summary>
    public string? Version { get; }

    /// <summary>Everything it printed on stderr until it ended.</summary>
    /// <exception cref="CheckFailedException">It does not end.</exception>
    public IReadOnlyList<string> Errors()
    {
        CheckFailedException.That(_process.WaitForExit(Patience), "QEMU does not end");
        // Without a limit it also waits for the last line.
        _process.WaitForExit();
        lock (_errors) return _errors.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>Runs a QMP command.</summary>
    /// <returns>What it returned; null when QEMU ended instead.</returns>
    /// <exception cref="CheckFailedException">QEMU refuses the command.</exception>
    public JsonElement? Ask(string command, string arguments = "{}")
    {
        try
        {
            _process.StandardInput.WriteLine($$"""{"execute":"{{command}}","arguments":{{arguments}}}""");
            _process.StandardInput.Flush();
        }
        catch (IOException)
        {
            // It is gone; the end of its output tells the same.
        }

        while (Next() is { } answer)
        {
            if (answer.TryGetProperty("return", out var result)) return result;
            CheckFailedException.That(!answer.TryGetProperty("error", out var error), $"{command}: {error}");
        }

        return null;
    }

    /// <summary>Asks until the answer is no more one of these.</summary>
    /// <returns>The last answer's status; null when QEMU ended.</returns>
    public string? Await(string command, params ReadOnlySpan<string> notYet)
    {
        var clock = Stopwatch.StartNew();
        while (Ask(command) is { } answer)
        {
            var status = answer.TryGetProperty("status", out var text) ? text.GetString()! : "";
            if (!notYet.Contains(status)) return status;
            CheckFailedException.That(clock.Elapsed < Patience, $"{command} still says {status}");
            Thread.Sleep(100);
        }

        return null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    private JsonElement? Next()
    {
        while (_process.StandardOutput.ReadLine() is { } line)
        {
            if (line.Length > 0) return JsonDocument.Parse(line).RootElement;
        }

        return null;
    }
}
