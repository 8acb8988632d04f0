using System.Security.Cryptography;
using Migrate.Model.Encoding;
using Migrate.Model.Errors;

namespace Migrate.Transfer.Handover;

/// <summary>Names of handovers and of agents: 128 random bits as 32 lowercase hexadecimal digits.</summary>
public static class HandoverId
{
    /// <summary>How an id is written.</summary>
    public static Shape<string> Shape { get; } = Shapes.TextUpTo(32);

    /// <summary>A new one.</summary>
    public static string New() => RandomNumberGenerator.GetHexString(32, lowercase: true);

    /// <summary>Whether a text is one. Ids become file names, so nothing else is ever taken for one.</summary>
    public static bool IsValid(string text) => text.Length == 32 && !text.AsSpan().ContainsAnyExcept("0123456789abcdef");

    /// <summary>The text, if it is an id.</summary>
    /// <param name="text">From outside.</param>
    /// <param name="what">What it should name, for the message.</param>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Malformed"/>: it is none.</exception>
    public static string Check(string text, string what) => IsValid(text)
        ? text
        : throw new MigrateException(ErrorCode.Malformed, $"{what} '{Shapes.OneLine(text, 64)}' is not 32 lowercase hexadecimal digits");
}
