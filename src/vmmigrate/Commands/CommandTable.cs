using System.CommandLine;
using System.CommandLine.Invocation;
using System.Reflection;
using Migrate.Cli.Output;

namespace Migrate.Cli.Commands;

/// <summary>Every command, in the order of the help.</summary>
internal static class CommandTable
{
    private static readonly Func<Terminal, Command>[] Commands =
    [
        CheckCommand.Build, CaptureCommand.Build,
        AgentCommand.Build, SendCommand.Build, StatusCommand.Build, CancelCommand.Build, ResolveCommand.Build,
        RunCommand.Build, PsCommand.Build, PauseCommand.BuildPause, PauseCommand.BuildResume,
        ShowCommand.Build, DiffCommand.Build, ConvertCommand.Build, SnapshotCommand.Build,
        ServeCommand.Build, DemoCommand.Build, CompletionCommand.Build,
    ];

    public static RootCommand Root(Terminal terminal)
    {
        var root = new RootCommand("Live migration and snapshots for arm64 KVM: says before a move whether the VM will survive it, then moves it.");
        foreach (var build in Commands) root.Add(build(terminal));
        root.Options.OfType<VersionOption>().Single().Action = new PrintVersion(terminal);
        return root;
    }

    private sealed class PrintVersion(Terminal terminal) : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            terminal.Out.WriteLine(VersionText.Of());
            return ExitCode.Yes;
        }
    }
}

/// <summary>What <c>--version</c> prints.</summary>
internal static class VersionText
{
    public static string Of()
    {
        var full = typeof(VersionText).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;
        var parts = full.Split('+', 2);
        var commit = parts.Length == 2 ? parts[1] : "unknown commit";
        return $"vmmigrate {parts[0]} ({commit})\n{string.Join('\n', FormatVersions.All.Select(f => $"  {f.Name} {f.Version}"))}";
    }
}
