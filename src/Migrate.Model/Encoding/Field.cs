using System.Text.Json.Nodes;

namespace Migrate.Model.Encoding;

/// <summary>A member of a record, as far as the record needs to know it.</summary>
internal abstract class Field<T>(string name, string description)
{
    public MemberName Name { get; } = new(name);

    public string Description { get; } = description;

    public abstract bool IsRequired { get; }

    /// <summary>Whether the member is only for people: written in JSON, allowed and ignored there, unknown in MessagePack.</summary>
    public virtual bool IsHint => false;

    /// <summary>The value when the member is absent; null for a required one.</summary>
    public virtual object? WhenAbsent => null;

    public abstract bool IsWritten(T record);

    public abstract void Write(DocumentWriter writer, T record);

    public abstract object? Read(ref DocumentReader reader);

    public abstract JsonObject Describe(SchemaDefinitions definitions);
}

/// <summary>A member of a record: the key by which <see cref="FieldValues.Get"/> gives its value.</summary>
/// <typeparam name="T">The record.</typeparam>
/// <typeparam name="V">The member.</typeparam>
public sealed class Field<T, V>
{
    internal Field(int index) => Index = index;

    internal int Index { get; }
}

internal sealed class MemberField<T, V>(string name, Shape<V> shape, Func<T, V> get, string description, bool isRequired, V? whenAbsent)
    : Field<T>(name, description)
{
    private readonly object? _whenAbsent = whenAbsent;

    public override bool IsRequired => isRequired;

    public override object? WhenAbsent => _whenAbsent;

    public override bool IsWritten(T record) => isRequired || !EqualityComparer<V>.Default.Equals(get(record), whenAbsent!);

    public override void Write(DocumentWriter writer, T record) => shape.Write(writer, get(record));

    public override object? Read(ref DocumentReader reader) => shape.Read(ref reader);

    public override JsonObject Describe(SchemaDefinitions definitions) => shape.Describe(definitions);
}

internal sealed class HintField<T>(string name, Func<T, string> get, string description) : Field<T>(name, description)
{
    private const int LongestHint = 256;

    public override bool IsRequired => false;

    public override bool IsHint => true;

    public override bool IsWritten(T record) => true;

    public override void Write(DocumentWriter writer, T record) => writer.Text(get(record));

    public override object? Read(ref DocumentReader reader)
    {
        reader.Text(LongestHint);
        return null;
    }

    public override JsonObject Describe(SchemaDefinitions definitions) => new() { ["type"] = "string", ["maxLength"] = LongestHint };
}

/// <summary>The members of one record as they were read.</summary>
public sealed class FieldValues
{
    private readonly object?[] _values;

    internal FieldValues(object?[] values) => _values = values;

    /// <summary>A member's value; what was declared for its absence where it was absent.</summary>
    public V Get<T, V>(Field<T, V> field) => (V)_values[field.Index]!;
}
