using Migrate.Model.Errors;
using Migrate.Model.Registers;

namespace Migrate.Model.Encoding;

/// <summary>What shapes write to: the kinds of value that documents have, in the order in which they are written.</summary>
internal abstract class DocumentWriter
{
    public DocumentPath Path { get; } = new();

    /// <summary>Whether members that only help people are written.</summary>
    public abstract bool WritesHints { get; }

    /// <param name="count">Members that follow.</param>
    /// <param name="oneLine">Whether a form for people keeps them on one line.</param>
    public abstract void BeginMap(int count, bool oneLine);

    public abstract void EndMap();

    public abstract void Key(string name);

    public abstract void BeginArray(int count);

    public abstract void EndArray();

    public abstract void Null();

    public abstract void Text(string value);

    public abstract void Boolean(bool value);

    /// <summary>A number of at most 32 bits.</summary>
    public abstract void Number(long value);

    public abstract void Hex64(ulong value);

    public abstract void Int64(long value);

    public abstract void Bytes(ReadOnlySpan<byte> value);

    public abstract void Value(RegisterValue value);

    /// <summary>An error about the value that is being written.</summary>
    public MigrateException Refuse(string problem, ErrorCode code = ErrorCode.Malformed) =>
        new(code, $"cannot be written: {Path}: {problem}");
}
