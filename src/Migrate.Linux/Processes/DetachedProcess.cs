using System.Collections;
using System.Runtime.InteropServices;
using Migrate.Linux.Native;
using Migrate.Model.Errors;
using static Migrate.Linux.Native.FileConstants;
using static Migrate.Linux.Native.ProcessConstants;

namespace Migrate.Linux.Processes;

/// <summary>A child in a session of its own: signals of this process's terminal do not reach it, and it outlives its parent.</summary>
/// <remarks>It starts with default signal handling, standard input at <c>/dev/null</c> and none of this process's other descriptors.</remarks>
public sealed unsafe class DetachedProcess
{
    private readonly TaskCompletionSource<int> _exit = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private DetachedProcess(int pid)
    {
        Pid = pid;
        Identity = ProcessIdentity.Of(pid);
        // Somebody must collect the child, or its number stays taken for as long as this process lives.
        new Thread(Collect, 128 * 1024) { IsBackground = true, Name = $"wait-{pid}" }.Start();
    }

    /// <summary>Its process id.</summary>
    public int Pid { get; }

    /// <summary>Which process it is, for a durable record; null when it ended at once.</summary>
    public ProcessIdentity? Identity { get; }

    /// <summary>Whether it ended.</summary>
    public bool HasExited => _exit.Task.IsCompleted;

    /// <summary>Starts a program.</summary>
    /// <param name="file">A path, or a name to be found in PATH.</param>
    /// <param name="arguments">What follows the program's name.</param>
    /// <param name="environment">Changes to this process's environment; null as value removes one.</param>
    /// <param name="stdoutPath">Standard output is appended here; created with mode 0600.</param>
    /// <param name="stderrPath">Standard error is appended here; created with mode 0600.</param>
    /// <exception cref="LinuxException">The program or one of the files cannot be opened.</exception>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Usage"/>: a text with a zero character.</exception>
    public static DetachedProcess Start(
        string file,
        IReadOnlyList<string> arguments,
        IReadOnlyDictionary<string, string?> environment,
        string stdoutPath,
        string stderrPath)
    {
        using var memory = new NativeStrings();
        var actions = stackalloc byte[SpawnObjectBytes];
        var attributes = stackalloc byte[SpawnObjectBytes];
        Check(Libc.posix_spawn_file_actions_init(actions), "posix_spawn_file_actions_init", file);
        try
        {
            Check(Libc.posix_spawnattr_init(attributes), "posix_spawnattr_init", file);
            try
            {
                const int append = O_WRONLY | O_CREAT | O_APPEND;
                Check(Libc.posix_spawn_file_actions_addopen(actions, 0, memory.Add("/dev/null"), O_RDONLY, 0), "posix_spawn_file_actions_addopen", file);
                Check(Libc.posix_spawn_file_actions_addopen(actions, 1, memory.Add(stdoutPath), append, 0x180), "posix_spawn_file_actions_addopen", file);
                Check(Libc.posix_spawn_file_actions_addopen(actions, 2, memory.Add(stderrPath), append, 0x180), "posix_spawn_file_actions_addopen", file);
                SetAttributes(attributes, file);
                int pid;
                var answer = Libc.posix_spawnp(&pid, file, actions, attributes, memory.AddAll([file, .. arguments]), memory.AddAll(Merge(environment)));
                Check(answer, "posix_spawn", $"{file} (output to {stdoutPath} and {stderrPath})");
                return new DetachedProcess(pid);
            }
            finally
            {
                _ = Libc.posix_spawnattr_destroy(attributes);
            }
        }
        finally
        {
            _ = Libc.posix_spawn_file_actions_destroy(actions);
        }
    }

    /// <summary>Waits for its end.</summary>
    /// <returns>The exit code, or 128 and the number of the signal that ended it; -1 when
    /// another part of this process collected it first; null when the time is over.</returns>
    public int? WaitForExit(TimeSpan timeout) => _exit.Task.Wait(timeout) ? _exit.Task.Result : null;

    /// <summary>Ends it and what it started in its group at once (SIGKILL); nothing happens when it is gone already.</summary>
    public void Kill()
    {
        if (Identity is { IsAlive: true })
            _ = Libc.kill(-Pid, SIGKILL);
    }

    private static void SetAttributes(byte* attributes, string file)
    {
        var signals = stackalloc byte[SignalSetBytes];
        // .NET ignores SIGPIPE, and an ignored signal stays ignored across exec.
        _ = Libc.sigfillset(signals);
        Check(Libc.posix_spawnattr_setsigdefault(attributes, signals), "posix_spawnattr_setsigdefault", file);
        _ = Libc.sigemptyset(signals);
        Check(Libc.posix_spawnattr_setsigmask(attributes, signals), "posix_spawnattr_setsigmask", file);
        Check(Libc.posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK), "posix_spawnattr_setflags", file);
    }

    private static List<string> Merge(IReadOnlyDictionary<string, string?> changes)
    {
        var merged = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (DictionaryEntry entry in Environment.GetEnvironmentVariables())
            merged[(string)entry.Key] = (string?)entry.Value ?? "";
        foreach (var (name, value) in changes)
        {
            if (value is null)
                merged.Remove(name);
            else
                merged[name] = value;
        }
        return [.. merged.Select(pair => $"{pair.Key}={pair.Value}")];
    }

    private static void Check(int errno, string call, string subject)
    {
        if (errno != 0)
            throw new LinuxException(call, errno, subject);
    }

    private void Collect()
    {
        int status;
        int answer;
        do
            answer = Libc.waitpid(Pid, &status, 0);
        while (answer < 0 && Marshal.GetLastPInvokeError() == Errno.EINTR);
        // The layout of a wait status is Linux's own (uapi: kernel/exit.c): low 7 bits the signal, next byte the exit code.
        var signal = status & 0x7f;
        _exit.SetResult(answer < 0 ? -1 : signal == 0 ? (status >> 8) & 0xff : 128 + signal);
    }

    /// <summary>Zero-ended UTF-8 copies, freed together.</summary>
    private sealed class NativeStrings : IDisposable
    {
        private readonly List<nint> _blocks = [];

        public byte* Add(string text)
        {
            if (text.Contains('\0'))
                throw new MigrateException(ErrorCode.Usage, $"a program cannot be given a text with a zero character: {text.Replace("\0", "\\0")}");
            var block = Marshal.StringToCoTaskMemUTF8(text);
            _blocks.Add(block);
            return (byte*)block;
        }

        public byte** AddAll(IReadOnlyList<string> texts)
        {
            var block = Marshal.AllocCoTaskMem((texts.Count + 1) * sizeof(byte*));
            _blocks.Add(block);
            var array = (byte**)block;
            for (var i = 0; i < texts.Count; i++)
                array[i] = Add(texts[i]);
            array[texts.Count] = null;
            return array;
        }

        public void Dispose() => _blocks.ForEach(Marshal.FreeCoTaskMem);
    }
}
