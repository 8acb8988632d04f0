using Migrate.Model.Encoding;
using Migrate.Model.Errors;

namespace Migrate.Transfer.Wire;

/// <summary>A failure that happened at the other end, with the code, stage and remedy that it had there.</summary>
public sealed class PeerErrorException : MigrateException
{
    internal PeerErrorException(ErrorCode code, string peer, string reason)
        : base(code, $"{peer}: {reason}") => Reason = reason;

    /// <summary>The message as the peer wrote it, without the peer's name.</summary>
    public string Reason { get; }
}

/// <summary>Payload of an <see cref="FrameKind.Error"/> frame.</summary>
internal sealed record ErrorMessage
{
    private const int LongestText = 2048;

    public required int Code { get; init; }

    public required int Stage { get; init; }

    public required string Message { get; init; }

    public string Remedy { get; init; } = "";

    public bool Transient { get; init; }

    public bool? SourceRuns { get; init; }

    /// <summary>How it is written.</summary>
    public static Shape<ErrorMessage> Shape { get; } = MakeShape();

    public static ErrorMessage Of(MigrateException error) => new()
    {
        Code = (int)error.Code,
        Stage = (int)error.Stage,
        Message = OneLine((error as PeerErrorException)?.Reason ?? error.Message),
        Remedy = OneLine(error.Remedy ?? ""),
        Transient = error.IsTransient,
        SourceRuns = error.SourceRuns,
    };

    public PeerErrorException ToException(string peer) =>
        // A later version may have more codes and stages; its message still says what it is.
        new(Enum.IsDefined((ErrorCode)Code) && Code != 0 ? (ErrorCode)Code : ErrorCode.Protocol, peer, OneLine(Message))
        {
            Stage = Enum.IsDefined((Stage)Stage) ? (Stage)Stage : Model.Errors.Stage.None,
            IsTransient = Transient,
            SourceRuns = SourceRuns,
            Remedy = Remedy.Length == 0 ? null : OneLine(Remedy),
        };

    private static string OneLine(string text) => Shapes.OneLine(text, LongestText);

    private static Shape<ErrorMessage> MakeShape()
    {
        var record = new RecordShape<ErrorMessage>("Error", "A failure at the sender of the frame.");
        var code = record.Required("code", Shapes.Int32, e => e.Code, "Stable error code.");
        var stage = record.Required("stage", Shapes.Int32, e => e.Stage, "Stage of the move; 0 for none.");
        var message = record.Required("message", Shapes.Text, e => e.Message, "One line that names the thing and the reason.");
        var remedy = record.Optional("remedy", Shapes.Text, e => e.Remedy, "", "What the operator can do.");
        var transient = record.Optional("transient", Shapes.Boolean, e => e.Transient, false, "Whether the same command may succeed when run again.");
        var sourceRuns = record.Optional("sourceRuns", Shapes.OptionalValue(Shapes.Boolean), e => e.SourceRuns, null, "Whether the source VM is known to run.");
        return record.Build(v => new ErrorMessage
        {
            Code = v.Get(code),
            Stage = v.Get(stage),
            Message = v.Get(message),
            Remedy = v.Get(remedy),
            Transient = v.Get(transient),
            SourceRuns = v.Get(sourceRuns),
        });
    }
}
