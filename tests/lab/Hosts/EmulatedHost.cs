using System.Diagnostics;
using System.Globalization;
using Migrate.Lab.Fetching;
using Migrate.LabGuest;
using Migrate.LabGuest.Jobs;

namespace Migrate.Lab.Hosts;

/// <summary>A kernel that runs under emulation with EL2, and the agent in it.</summary>
internal sealed class EmulatedHost : IAsyncDisposable
{
    /// <summary>From power-on to the agent's first word; 10 to 25 s on an idle machine.</summary>
    private static readonly TimeSpan BootLimit = TimeSpan.FromMinutes(4);

    /// <summary>After this the emulator ends by itself even if the lab was killed.</summary>
    private static readonly TimeSpan LifeLimit = TimeSpan.FromHours(2);
    private static readonly TimeSpan PowerOffLimit = TimeSpan.FromSeconds(10);

    private readonly AgentSession _session = new();
    private readonly ConsoleLog _console;
    private readonly Process _process;

    private EmulatedHost(HostId id, Emulator emulator, Kernel kernel, string initramfs, string consoleFile)
    {
        Id = id;
        _console = new ConsoleLog(consoleFile);
        string[] arguments =
        [
            "-n", "10",
            "timeout", "--kill-after=5", LifeLimit.TotalSeconds.ToString(CultureInfo.InvariantCulture),
            emulator.Program,
            "-machine", "virt,virtualization=on,gic-version=3", "-cpu", id.Cpu, "-m", "2G", "-nodefaults", "-display", "none",
            "-no-reboot", "-serial", "stdio", "-monitor", "none",
            "-netdev", "user,id=n0,ipv6=off", "-device", "virtio-net-pci,netdev=n0,romfile=",
            "-kernel", kernel.Image, "-initrd", initramfs,
            "-append", $"console=ttyAMA0 loglevel=6 panic=-1 lab.port={_session.Port} lab.token={_session.Token}",
        ];
        var start = new ProcessStartInfo("nice", arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["LD_LIBRARY_PATH"] = emulator.LibraryPath;
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => _console.Add(line.Data);
        _process.ErrorDataReceived += (_, line) => _console.Add(line.Data);
    }

    public HostId Id { get; }

    /// <summary>The kernel release the agent reported.</summary>
    public string Release => _session.Release;

    /// <summary>Starts the emulator and waits for the agent.</summary>
    /// <exception cref="HostDiedException">It did not come.</exception>
    public static async Task<EmulatedHost> BootAsync(
        HostId id, Emulator emulator, Kernel kernel, string initramfs, string consoleFile, CancellationToken cancel)
    {
        var host = new EmulatedHost(id, emulator, kernel, initramfs, consoleFile);
        try
        {
            host._process.Start();
            host._process.BeginOutputReadLine();
            host._process.BeginErrorReadLine();
            await host.WatchAsync(
                token => WithoutResult(host._session.AcceptAsync(token)), BootLimit, "its agent had not called", cancel);
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc cref="AgentSession.RunAsync"/>
    /// <exception cref="HostDiedException">The host went away or the job took longer than its limit.</exception>
    public Task<string> RunAsync(LabJob job, IReadOnlyList<Message> inputs, Action<Message> sink, CancellationToken cancel) =>
        WatchAsync(token => _session.RunAsync(job, inputs, sink, token), job.Limit, $"job {job.Name} had not ended", cancel);

    public async ValueTask DisposeAsync()
    {
        _session.Stop();
        try
        {
            using var limit = new CancellationTokenSource(_session.Release.Length > 0 ? PowerOffLimit : TimeSpan.Zero);
            await _process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync(CancellationToken.None);
        }
        catch (InvalidOperationException)
        {
            // It was never started.
        }

        _session.Dispose();
        _console.Dispose();
        _process.Dispose();
    }

    private static async Task<string> WithoutResult(Task task)
    {
        await task;
        return "";
    }

    private async Task<string> WatchAsync(Func<CancellationToken, Task<string>> action, TimeSpan limit, string what, CancellationToken cancel)
    {
        using var timer = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        timer.CancelAfter(limit);
        var work = action(timer.Token);
        var end = _process.WaitForExitAsync(timer.Token);
        await Task.WhenAny(work, end);
        if (work.IsCompletedSuccessfully)
            return work.Result;
        if (!end.IsCompletedSuccessfully)
        {
            // The line may break a moment before the process ends; that moment tells a dead host from a mere silent one.
            try
            {
                await _process.WaitForExitAsync(timer.Token).WaitAsync(TimeSpan.FromSeconds(2), CancellationToken.None);
            }
            catch (Exception late) when (late is TimeoutException or OperationCanceledException)
            {
                // Still running.
            }
        }

        var timedOut = timer.IsCancellationRequested;
        await timer.CancelAsync();
        try
        {
            return await work;
        }
        catch (Exception broken) when (broken is IOException or OperationCanceledException or ObjectDisposedException or InvalidDataException)
        {
            cancel.ThrowIfCancellationRequested();
            var reason = _process.HasExited ? $"the emulator ended with {_process.ExitCode} and {what}"
                : timedOut ? $"after {limit.TotalSeconds:F0} s {what}"
                : $"the line to its agent broke ({broken.Message})";
            throw new HostDiedException($"{Id}: {reason}. Its console said last:\n{_console.Last()}");
        }
    }
}
