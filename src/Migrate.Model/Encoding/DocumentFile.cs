using System.Globalization;
using Migrate.Model.Errors;

namespace Migrate.Model.Encoding;

/// <summary>How a document is encoded.</summary>
public enum DocumentEncoding
{
    /// <summary>JSON, for people and other programs.</summary>
    Json = 1,

    /// <summary>MessagePack.</summary>
    MessagePack = 2,
}

/// <summary>A document as it was found in a file.</summary>
/// <param name="SchemaId">Which document: <c>vmmigrate/machine-state/1</c>.</param>
/// <param name="Encoding">How it was encoded.</param>
/// <param name="Value">The value: a MachineState, HostProfile, or another of <see cref="Documents"/>.</param>
public sealed record FoundDocument(string SchemaId, DocumentEncoding Encoding, object Value);

/// <summary>Reads a document of any kind and either encoding; which one it is follows from its content alone.</summary>
public static class DocumentFile
{
    /// <summary>Bytes of the largest file that is read.</summary>
    public const int LargestFile = 64 << 20;

    /// <summary>Reads bytes; <paramref name="name"/> is what messages call them.</summary>
    /// <exception cref="MigrateException">
    /// <see cref="ErrorCode.Unsupported"/>: another kind of file, an unknown or newer schema; <see cref="ErrorCode.Malformed"/> and
    /// <see cref="ErrorCode.TooLarge"/>: what it claims to be, but broken. The message has the name, the path within the document and the byte.
    /// </exception>
    public static FoundDocument Read(ReadOnlySpan<byte> bytes, string name)
    {
        try
        {
            if (bytes.Length > LargestFile) throw TooLarge();
            var encoding = EncodingOf(bytes);
            var kind = KindOf(SchemaIdOf(bytes, encoding));
            return new FoundDocument(kind.SchemaId, encoding, kind.Decode(bytes, encoding));
        }
        catch (MigrateException e)
        {
            throw new MigrateException(e.Code, $"{Shapes.OneLine(name)}: {e.Message}", e) { Stage = Stage.Input, Remedy = e.Remedy };
        }
    }

    private static DocumentEncoding EncodingOf(ReadOnlySpan<byte> bytes)
    {
        var text = bytes.TrimStart(" \t\r\n"u8);
        if (text.IsEmpty) throw new MigrateException(ErrorCode.Malformed, "the file is empty");
        if (text[0] == '{') return DocumentEncoding.Json;
        // The three headers of a MessagePack map.
        if (bytes[0] is >= 0x80 and <= 0x8f or 0xde or 0xdf) return DocumentEncoding.MessagePack;
        throw new MigrateException(ErrorCode.Unsupported, $"no vmmigrate document: byte {bytes.Length - text.Length} begins neither JSON nor MessagePack");
    }

    private static string SchemaIdOf(ReadOnlySpan<byte> bytes, DocumentEncoding encoding) => encoding == DocumentEncoding.Json
        ? JsonEncoding.Decode(SchemaIdShape.Instance, bytes, wholeInput: false)
        : MessagePackEncoding.Decode(SchemaIdShape.Instance, bytes, wholeInput: false);

    private static DocumentKind KindOf(string id)
    {
        var known = $"known: {string.Join(", ", Documents.All.Select(d => d.SchemaId))}";
        foreach (var kind in Documents.All)
        {
            if (id == kind.SchemaId) return kind;
            var prefix = $"{DocumentKind.Prefix}{kind.Name}/";
            if (id.StartsWith(prefix, StringComparison.Ordinal)
                && int.TryParse(id.AsSpan(prefix.Length), NumberStyles.None, null, out var version) && version > kind.Version)
            {
                throw new MigrateException(ErrorCode.Unsupported, $"{DocumentPath.Shown(id)} was written by a newer vmmigrate; {known}")
                {
                    Remedy = "Read it with the vmmigrate that wrote it, or upgrade this one.",
                };
            }
        }
        throw new MigrateException(ErrorCode.Unsupported, $"unknown schema '{DocumentPath.Shown(id)}'; {known}");
    }

    private static MigrateException TooLarge() => new(ErrorCode.TooLarge, $"larger than {LargestFile >> 20} MiB");
}
