using Migrate.Model.Errors;

namespace Migrate.Model.Encoding.MessagePack;

/// <summary>
/// Bytes refused as MessagePack: the only exception that <see cref="MessagePackReader"/> raises, whatever the bytes are.
/// Its code is <see cref="ErrorCode.TooLarge"/> where a limit was exceeded and <see cref="ErrorCode.Malformed"/> otherwise.
/// </summary>
public sealed class MessagePackFormatException : MigrateException
{
    /// <summary>A refusal of the value that begins at byte <paramref name="offset"/>.</summary>
    /// <param name="fault">Why.</param>
    /// <param name="offset">Bytes from the beginning of the reader's input.</param>
    /// <param name="detail">What was found, half a sentence without a full stop.</param>
    public MessagePackFormatException(MessagePackFault fault, long offset, string detail)
        : base(CodeOf(fault), $"MessagePack refused at byte {offset}: {detail}")
    {
        Fault = fault;
        Offset = offset;
        Stage = Stage.Input;
        Remedy = "The bytes are damaged or were not written by vmmigrate: write or fetch the document again.";
    }

    /// <summary>Why the bytes were refused.</summary>
    public MessagePackFault Fault { get; }

    /// <summary>Where the refused value begins, in bytes from the beginning of the reader's input.</summary>
    public long Offset { get; }

    private static ErrorCode CodeOf(MessagePackFault fault) => fault switch
    {
        MessagePackFault.TooDeep or MessagePackFault.StringTooLong or MessagePackFault.BinaryTooLong
            or MessagePackFault.TooManyElements or MessagePackFault.InputTooLarge => ErrorCode.TooLarge,
        _ => ErrorCode.Malformed,
    };
}
