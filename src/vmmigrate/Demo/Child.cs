using System.Diagnostics;
using System.Runtime.InteropServices;
using Migrate.Model.Errors;

namespace Migrate.Cli.Demo;

/// <summary>This program again, as a process of its own that ends when its parent does.</summary>
internal sealed class Child : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly Process _process;
    private readonly string _verb;

    private Child(Process process, string verb)
    {
        _process = process;
        _verb = verb;
    }

    /// <summary>The runtime that runs this program: the one that certainly is there.</summary>
    public static string Runtime { get; } =
        Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", "dotnet")) is var dotnet && File.Exists(dotnet) ? dotnet : "dotnet";

    /// <summary>The assembly of this program.</summary>
    public static string Assembly { get; } = typeof(Child).Assembly.Location;

    /// <summary>What starts this program again: its own executable where it was started by that, else the runtime and the assembly.</summary>
    /// <remarks>One that brings its runtime along (self-contained) has no other way.</remarks>
    public static IReadOnlyList<string> Command { get; } =
        Environment.ProcessPath is { } own && Path.GetFileName(own) == Path.GetFileNameWithoutExtension(Assembly) ? [own] : [Runtime, Assembly];

    /// <summary>Starts a verb that goes on. Its stderr is read by <see cref="WaitFor"/>; its stdin stays open as long as this process lives.</summary>
    public static Child Start(string state, params string[] args)
    {
        var start = new ProcessStartInfo(Command[0], [.. Command.Skip(1), .. args]) { RedirectStandardError = true, RedirectStandardInput = true, RedirectStandardOutput = true };
        start.Environment["VMMIGRATE_STATE"] = state;
        return new Child(Process.Start(start)!, args[0]);
    }

    /// <summary>Runs a verb to its end, its output going where this process's goes; returns its exit code.</summary>
    public static int Run(string state, params string[] args)
    {
        var start = new ProcessStartInfo(Command[0], [.. Command.Skip(1), .. args]);
        start.Environment["VMMIGRATE_STATE"] = state;
        using var process = Process.Start(start)!;
        process.WaitForExit();
        return process.ExitCode;
    }

    /// <summary>Reads stderr up to the line that contains a text; afterwards stderr is read and thrown away, so that the child never waits for a reader.</summary>
    public string WaitFor(string text)
    {
        var said = new List<string>();
        using var late = new Timer(_ => _process.Kill(), null, Patience, Timeout.InfiniteTimeSpan);
        while (_process.StandardError.ReadLine() is { } line)
        {
            if (line.Contains(text, StringComparison.Ordinal))
            {
                new Thread(() => _process.StandardError.BaseStream.CopyTo(Stream.Null)) { IsBackground = true }.Start();
                return line;
            }
            said.Add(line);
        }
        throw new MigrateException(ErrorCode.System, $"vmmigrate {_verb} ended without saying '{text}': {string.Join(" ", said)}");
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        if (!_process.WaitForExit(TimeSpan.FromSeconds(3))) _process.Kill();
        _process.Dispose();
    }
}
