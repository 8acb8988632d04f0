namespace Migrate.Model.Errors;

/// <summary>The one root of every error that vmmigrate raises on purpose. Anything else that escapes is a bug (exit code 70).</summary>
/// <remarks>The message is one line: it names the thing, the reason, and the remedy where there is one.</remarks>
public class MigrateException : Exception
{
    /// <summary>An error with its stable code and a one-line message.</summary>
    public MigrateException(ErrorCode code, string message, Exception? cause = null)
        : base(message, cause) => Code = code;

    /// <summary>The stable code, printed by <c>--json</c> and documented in the README.</summary>
    public ErrorCode Code { get; }

    /// <summary>Which part of a move or command failed.</summary>
    public Stage Stage { get; init; } = Stage.None;

    /// <summary>Whether the same command, run again unchanged, may succeed.</summary>
    public bool IsTransient { get; init; }

    /// <summary>Whether the source VM is known to still run; null where the command has no source or it is not known.</summary>
    public bool? SourceRuns { get; init; }

    /// <summary>What the operator can do, one sentence; null where the message already says it.</summary>
    public string? Remedy { get; init; }
}

/// <summary>The stage of a command in which an error arose.</summary>
public enum Stage
{
    /// <summary>Not part of a move.</summary>
    None = 0,

    /// <summary>Reading arguments, files or documents.</summary>
    Input = 1,

    /// <summary>Reaching a peer and agreeing on a session.</summary>
    Connect = 2,

    /// <summary>Judging whether the state survives.</summary>
    Plan = 3,

    /// <summary>Building the incoming VM, before the first page.</summary>
    Prepare = 4,

    /// <summary>Copying pages while the guest runs.</summary>
    PreCopy = 5,

    /// <summary>Stopping the guest, the last harvest and the capture.</summary>
    StopAndCopy = 6,

    /// <summary>Writing the mutable state at the destination and reading it back.</summary>
    Apply = 7,

    /// <summary>Deciding which side runs.</summary>
    Handover = 8,

    /// <summary>Writing or reading a snapshot.</summary>
    Snapshot = 9,
}
