using Migrate.Cli.Output;
using Migrate.Model;

namespace Migrate.Cli.Sources;

/// <summary>The command of another VMM as an operator gives it. What is wrong with it is said at once: a machine that comes later would tell nobody.</summary>
internal static class LaunchTemplate
{
    private const UnixFileMode Executable = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <summary>Refuses a command that cannot start a VMM for a machine that comes.</summary>
    /// <param name="command">A program and its arguments.</param>
    /// <param name="verb">The command line that it belongs to.</param>
    public static void Require(IReadOnlyList<string> command, string verb)
    {
        if (!command.Skip(1).Any(a => a.Contains("{socket}", StringComparison.Ordinal)))
            throw new UsageException($"'{string.Join(' ', command)}' is no VMM's command: no argument of it holds {{socket}}, the path of the machine socket that it must open", verb);
        if (!IsProgram(command[0])) throw new UsageException($"{command[0]} is no program that can be executed here", verb);
    }

    /// <summary>Names of services out of a comma-separated list; <c>none</c> for an empty one.</summary>
    public static EquatableArray<string> Handlers(string list) =>
        list == "none" ? [] : list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).ToEquatableArray();

    /// <summary>Whether posix_spawnp would find it.</summary>
    private static bool IsProgram(string name) => name.Contains('/')
        ? IsExecutable(name)
        : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries).Any(directory => IsExecutable(Path.Combine(directory, name)));

    private static bool IsExecutable(string path) => File.Exists(path) && (File.GetUnixFileMode(path) & Executable) != 0;
}
