using System.Diagnostics;
using Migrate.Cli.Output;
using Migrate.Kvm.Vmm;
using Migrate.Linux;
using Migrate.Linux.Processes;

namespace Migrate.Cli.Sources;

/// <summary>The guest's console on this process's standard streams.</summary>
/// <remarks>
/// A terminal in the foreground passes every key to the guest but <see cref="ConsoleEscapes"/>; of a pipe every byte is the guest's. What cannot be given to the guest yet
/// is kept: the reader stands still.
/// </remarks>
internal sealed class GuestConsole : IDisposable
{
    /// <summary>Bytes that may wait for a slow reader of standard output; then the guest waits, for <see cref="LongestStall"/>.</summary>
    private const int MostUnwritten = 1 << 16;

    /// <summary>A vCPU that waits for a reader can be neither moved nor stopped. When none has read for so long, what the guest prints is dropped.</summary>
    private static readonly TimeSpan LongestStall = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(1);

    private readonly Lock _terminal = new();
    private readonly object _unwritten = new();
    private readonly CancellationTokenSource _ended = new();
    private readonly Stream _output;
    private readonly Action<string> _report;
    private readonly long _most;
    private readonly Thread _writer;
    private readonly List<byte> _waiting = [];
    private bool _closed;
    private bool _isDropping;
    private long _dropped;
    private RawTerminal? _raw;

    /// <summary>Writes to a stream from now on; <see cref="Read"/> begins to read.</summary>
    /// <param name="output">Where what the guest prints goes.</param>
    /// <param name="report">Is told in a line when something of it is lost.</param>
    /// <param name="most">Bytes of it that are written; what the guest prints behind them is dropped. A log has no other end.</param>
    public GuestConsole(Stream output, Action<string> report, long most = long.MaxValue)
    {
        _output = output;
        _report = report;
        _most = most;
        _writer = new Thread(WriteAll) { IsBackground = true, Name = "console-output" };
        _writer.Start();
    }

    /// <summary>What is typed.</summary>
    public ConsoleInput Input { get; } = new();

    /// <summary>What the guest writes.</summary>
    public void Write(byte character)
    {
        lock (_unwritten)
        {
            if (!HasRoom())
            {
                _dropped++;
                return;
            }
            _waiting.Add(character);
            Monitor.PulseAll(_unwritten);
        }
    }

    /// <summary>Reads standard input for the guest.</summary>
    /// <param name="terminal">Is told what keys mean.</param>
    /// <param name="end">The operator ends the machine.</param>
    /// <param name="inputEnded">Standard input ended; null where that means nothing.</param>
    public void Read(Terminal terminal, Action end, Action? inputEnded)
    {
        var kind = RawTerminal.Kind;
        if (kind == InputKind.TerminalOfOthers)
        {
            terminal.Error.WriteLine("this process is in the background: keys are not passed to the guest");
            return;
        }
        var escapes = kind == InputKind.Terminal ? new ConsoleEscapes() : null;
        if (escapes is not null)
        {
            terminal.Error.WriteLine(ConsoleEscapes.Hint);
            lock (_terminal) _raw = RawTerminal.Enter();
        }
        new Thread(() =>
        {
            try
            {
                Pump(terminal, buffer => StandardInput.Read(buffer), escapes, end);
                inputEnded?.Invoke();
            }
            catch (OperationCanceledException)
            {
                // The machine ended before it took everything.
            }
            catch (LinuxException e)
            {
                terminal.Error.WriteLine($"the guest gets no more input: {e.Message}");
                inputEnded?.Invoke();
            }
        })
        { IsBackground = true, Name = "console-input" }.Start();
    }

    /// <summary>Writes what is left and gives the terminal back.</summary>
    public void Dispose()
    {
        _ended.Cancel();
        lock (_unwritten)
        {
            _closed = true;
            Monitor.PulseAll(_unwritten);
        }
        _writer.Join(LastWords);
        lock (_terminal) _raw?.Dispose();
    }

    internal void Pump(Terminal terminal, Func<byte[], int> input, ConsoleEscapes? escapes, Action end)
    {
        var buffer = new byte[256];
        var toGuest = new List<byte>();
        for (int read; (read = input(buffer)) > 0;)
        {
            ReadOnlySpan<byte> keys = buffer.AsSpan(0, read);
            if (escapes is null)
            {
                Input.Send(keys, _ended.Token);
                continue;
            }
            ConsoleCommand command;
            do
            {
                toGuest.Clear();
                command = escapes.Take(ref keys, toGuest);
                if (command == ConsoleCommand.End)
                {
                    end();
                    return;
                }
                if (command == ConsoleCommand.Help) terminal.Error.WriteLine($"\n{ConsoleEscapes.Help}");
                // A terminal must not hang on a guest that does not read: its operator could not end it any more. What does not fit is not typed.
                SendNow(toGuest);
            }
            while (command != ConsoleCommand.None);
        }
    }

    private void SendNow(List<byte> keys)
    {
        var bytes = keys.ToArray().AsSpan();
        for (var tries = 0; tries < 20 && !bytes.IsEmpty; tries++)
        {
            bytes = bytes[Input.TrySend(bytes)..];
            if (!bytes.IsEmpty) _ended.Token.WaitHandle.WaitOne(TimeSpan.FromMilliseconds(10));
        }
    }

    /// <summary>Whether another byte may wait; at first that is worth some patience, afterwards none until somebody has read.</summary>
    private bool HasRoom()
    {
        var since = Stopwatch.GetTimestamp();
        while (!_isDropping && !_closed && _waiting.Count >= MostUnwritten)
            if (!Monitor.Wait(_unwritten, LongestStall) || Stopwatch.GetElapsedTime(since) > LongestStall) _isDropping = _waiting.Count >= MostUnwritten;
        return !_isDropping && !_closed;
    }

    private void WriteAll()
    {
        var left = _most;
        while (true)
        {
            byte[] bytes;
            long lost;
            lock (_unwritten)
            {
                while (_waiting.Count == 0 && !_closed) Monitor.Wait(_unwritten);
                if (_waiting.Count == 0) return;
                bytes = [.. _waiting];
                _waiting.Clear();
                (lost, _dropped, _isDropping) = (_dropped, 0, false);
                Monitor.PulseAll(_unwritten);
            }
            if (left == 0) continue;
            try
            {
                var length = (int)Math.Min(bytes.Length, left);
                left -= length;
                _output.Write(bytes, 0, length);
                _output.Flush();
                if (left == 0) _report($"{_most} characters of the guest's console were written: what follows is dropped");
                if (lost > 0) _report($"nobody read standard output: {lost} characters of the guest's console were lost");
            }
            catch (IOException)
            {
                // Nobody reads any more: the guest goes on without a listener.
            }
        }
    }
}
