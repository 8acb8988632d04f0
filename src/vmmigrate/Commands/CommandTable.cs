using System.CommandLine;
using System.CommandLine.Invocation;
using System.Reflection;
using Migrate.Cli.Output;

namespace Migrate.Cli.Commands;

/// <summary>Every command, in the order of the help.</summary>
internal static class CommandTable
{
    private static readonly (string Name, Func<Terminal, Command> Build)[] Commands =
    [
        ("probe", ProbeCommand.Build), ("check", CheckCommand.Build), ("explain", ExplainCommand.Build), ("matrix", MatrixCommand.Build),
        ("baseline", BaselineCommand.Build), ("capture", CaptureCommand.Build),
        ("agent", AgentCommand.Build), ("send", SendCommand.Build), ("status", StatusCommand.Build), ("cancel", CancelCommand.Build), ("resolve", ResolveCommand.Build),
        ("run", RunCommand.Build), ("ps", PsCommand.Build), ("pause", PauseCommand.BuildPause), ("resume", PauseCommand.BuildResume), ("conformance", ConformanceCommand.Build),
        ("show", ShowCommand.Build), ("diff", DiffCommand.Build), ("convert", ConvertCommand.Build), ("snapshot", SnapshotCommand.Build),
        ("serve", ServeCommand.Build), ("demo", DemoCommand.Build), ("completion", CompletionCommand.Build),
    ];

    /// <summary>The commands that a command line can mean: the one that it names, else all. A cold <c>check</c> does not pay for compiling all others.</summary>
    public static RootCommand Root(Terminal terminal, IReadOnlyList<string> args)
    {
        var root = new RootCommand("Live migration and snapshots for arm64 KVM: says before a move whether the VM will survive it, then moves it.");
        var named = Commands.Where(c => args.Count > 0 && c.Name == args[0]).ToArray();
        foreach (var command in named.Length > 0 ? named : Commands) root.Add(command.Build(terminal));
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
