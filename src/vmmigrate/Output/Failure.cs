using System.Text.Json;
using Migrate.Model.Errors;

namespace Migrate.Cli.Output;

/// <summary>A command line that does not parse, with the command whose help says how it should look.</summary>
internal sealed class UsageException(string message, string command)
    : MigrateException(ErrorCode.Usage, message)
{
    public string Command { get; } = command;
}

/// <summary>Turns an exception into one line on stderr, the error document where <c>--json</c> was given, and the exit code.</summary>
internal static class Failure
{
    /// <summary>One row an error code. A row without an exit code decides by the stage: before anything started it is 3, afterwards 4.</summary>
    private static readonly Dictionary<ErrorCode, int> Codes = new()
    {
        [ErrorCode.Usage] = ExitCode.Input,
        [ErrorCode.NotFound] = ExitCode.Input,
        [ErrorCode.Malformed] = ExitCode.Input,
        [ErrorCode.Unsupported] = ExitCode.Input,
        [ErrorCode.TooLarge] = ExitCode.Input,
        [ErrorCode.Stale] = ExitCode.Input,
        [ErrorCode.Denied] = ExitCode.Input,
        [ErrorCode.Unreachable] = ExitCode.Unreachable,
        [ErrorCode.Refused] = ExitCode.No,
        [ErrorCode.Busy] = ExitCode.No,
        [ErrorCode.WrongState] = ExitCode.No,
        [ErrorCode.StepFailed] = ExitCode.Failed,
        [ErrorCode.ReadBackDiffers] = ExitCode.Failed,
        [ErrorCode.NotConverging] = ExitCode.Failed,
        [ErrorCode.Cancelled] = ExitCode.Failed,
        [ErrorCode.System] = ExitCode.Failed,
        [ErrorCode.OutcomeUnknown] = ExitCode.Unknown,
    };

    public static int ExitCodeOf(Exception failure) => failure switch
    {
        MigrateException known when Codes.TryGetValue(known.Code, out var code) => code,
        MigrateException { Stage: Stage.None or Stage.Input or Stage.Connect } => ExitCode.Unreachable,
        MigrateException => ExitCode.Failed,
        UnauthorizedAccessException or FileNotFoundException or DirectoryNotFoundException => ExitCode.Input,
        IOException => ExitCode.Failed,
        _ => ExitCode.Bug,
    };

    public static int Report(Terminal terminal, Exception failure, bool json)
    {
        var exit = ExitCodeOf(failure);
        var known = failure as MigrateException;
        if (exit == ExitCode.Bug) terminal.Error.WriteLine($"vmmigrate: bug: {failure}");
        else terminal.Error.WriteLine($"vmmigrate: {OneLine(failure.Message)}");
        if (known?.Remedy is { } remedy) terminal.Error.WriteLine(OneLine(remedy));
        if (failure is UsageException usage)
            terminal.Error.WriteLine($"See: vmmigrate {(usage.Command == "vmmigrate" ? "" : usage.Command + " ")}--help");
        if (json) terminal.Out.WriteLine(Document(failure, exit));
        return exit;
    }

    private static string OneLine(string text) => text.ReplaceLineEndings(" ");

    private static string Document(Exception failure, int exit)
    {
        var known = failure as MigrateException;
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("schema", "vmmigrate/error/1");
            json.WriteString("code", (known?.Code ?? ErrorCode.System).Text());
            json.WriteString("stage", Model.KebabCase.Of((known?.Stage ?? Stage.None).ToString()));
            json.WriteString("message", OneLine(failure.Message));
            if (known?.Remedy is { } remedy) json.WriteString("remedy", remedy);
            json.WriteBoolean("transient", known?.IsTransient ?? false);
            if (known?.SourceRuns is { } runs) json.WriteBoolean("sourceRuns", runs);
            json.WriteNumber("exitCode", exit);
            json.WriteEndObject();
        }
        return System.Text.Encoding.UTF8.GetString(buffer.ToArray());
    }
}
