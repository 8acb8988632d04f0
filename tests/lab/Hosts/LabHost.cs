using System.Diagnostics;
using Migrate.LabGuest;
using Migrate.LabGuest.Jobs;

namespace Migrate.Lab.Hosts;

/// <summary>A running host: its process, its console and the line to its agent.</summary>
internal sealed class LabHost : IAsyncDisposable
{
    private static readonly TimeSpan PowerOffLimit = TimeSpan.FromSeconds(10);

    private readonly AgentSession _session = new();
    private readonly ConsoleLog _console;
    private readonly Process _process;
    private bool _started;

    private LabHost(HostId id, IMachine machine, string consoleFile)
    {
        Id = id;
        Machine = machine;
        _console = new ConsoleLog(consoleFile);
        var start = machine.Command(_session);
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => _console.Add(line.Data);
        _process.ErrorDataReceived += (_, line) => _console.Add(line.Data);
    }

    public HostId Id { get; }

    public IMachine Machine { get; }

    /// <summary>The kernel release the agent reported.</summary>
    public string Release => _session.Release;

    /// <summary>Starts the host and waits for its agent.</summary>
    /// <exception cref="HostDiedException">It did not come.</exception>
    public static async Task<LabHost> BootAsync(HostId id, IMachine machine, string consoleFile, CancellationToken cancel)
    {
        var host = new LabHost(id, machine, consoleFile);
        try
        {
            host._process.Start();
            host._started = true;
            host._process.BeginOutputReadLine();
            host._process.BeginErrorReadLine();
            await host.WatchAsync(
                token => WithoutResult(host._session.AcceptAsync(token)), machine.BootLimit, "its agent had not called", cancel);
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
        if (_started)
        {
            var stopping = _session.Stop();
            using var limit = new CancellationTokenSource(stopping ? PowerOffLimit : TimeSpan.Zero);
            try
            {
                await _process.WaitForExitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill(entireProcessTree: true);
                await _process.WaitForExitAsync(CancellationToken.None);
            }
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
            var reason = _process.HasExited ? $"its process ended with {_process.ExitCode} and {what}"
                : timedOut ? $"after {limit.TotalSeconds:F0} s {what}"
                : $"the line to its agent broke ({broken.Message})";
            throw new HostDiedException($"{Id}: {reason}. Its console said last:\n{_console.Last()}");
        }
    }
}
