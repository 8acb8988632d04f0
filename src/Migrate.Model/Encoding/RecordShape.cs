using System.Text.Json.Nodes;
using Migrate.Model.Errors;

namespace Migrate.Model.Encoding;

/// <summary>The declaration of a record: its members in the order in which they are written. <see cref="Build"/> gives the shape.</summary>
/// <param name="title">The type's name in schemas, PascalCase and unique.</param>
/// <param name="description">One sentence for schemas.</param>
/// <remarks>
/// A record is a map with text keys. Readers take the members in any order; they refuse an unknown member by name (a schema version has
/// exactly the members it declares, a new member is a new version), a repeated one, and the absence of a required one.
/// </remarks>
public sealed class RecordShape<T>(string title, string description)
{
    private readonly List<Field<T>> _fields = [];
    private readonly List<Func<T, string?>> _rules = [];
    private bool _isOneLine;

    /// <summary>A member that is always written and must be there.</summary>
    public Field<T, V> Required<V>(string name, Shape<V> shape, Func<T, V> get, string description) =>
        Add<V>(new MemberField<T, V>(name, shape, get, description, isRequired: true, default));

    /// <summary>A member that is not written when it equals <paramref name="whenAbsent"/>, which it has when it is absent.</summary>
    public Field<T, V> Optional<V>(string name, Shape<V> shape, Func<T, V> get, V whenAbsent, string description) =>
        Add<V>(new MemberField<T, V>(name, shape, get, description, isRequired: false, whenAbsent));

    /// <summary>A text that JSON carries as a help for people. Readers of JSON ignore it; MessagePack does not have it.</summary>
    public RecordShape<T> Hint(string name, Func<T, string> get, string description)
    {
        Add<string>(new HintField<T>(name, get, description));
        return this;
    }

    /// <summary>Something that must hold between members; a text says what is wrong, null that nothing is.</summary>
    public RecordShape<T> Rule(Func<T, string?> problem)
    {
        _rules.Add(problem);
        return this;
    }

    /// <summary>Indented JSON keeps such a record on one line.</summary>
    public RecordShape<T> OneLine()
    {
        _isOneLine = true;
        return this;
    }

    /// <summary>The finished shape.</summary>
    /// <param name="make">Makes the record from its members. A <see cref="MigrateException"/> that it raises is reported with the record's path.</param>
    public Shape<T> Build(Func<FieldValues, T> make) => new BuiltRecord<T>(title, description, [.. _fields], [.. _rules], _isOneLine, make);

    private Field<T, V> Add<V>(Field<T> field)
    {
        if (_fields.Exists(f => f.Name.Text == field.Name.Text)) throw new ArgumentException($"{title} has two members '{field.Name.Text}'");
        _fields.Add(field);
        return new Field<T, V>(_fields.Count - 1);
    }
}

/// <summary>A shape that is a map, whose members can follow others in the same map ("schema", "kind").</summary>
internal abstract class MemberShape<T>(string title, string description) : Shape<T>
{
    public string Title { get; } = title;

    public string Description { get; } = description;

    public abstract bool IsOneLine { get; }

    /// <summary>How many members <see cref="WriteMembers"/> will write; checks the rules.</summary>
    public abstract int Count(DocumentWriter writer, T value);

    public abstract void WriteMembers(DocumentWriter writer, T value);

    public abstract T ReadMembers(ref DocumentReader reader, ref int left);

    public abstract void DescribeMembers(JsonObject properties, JsonArray required, SchemaDefinitions definitions);

    internal override void Write(DocumentWriter writer, T value)
    {
        writer.BeginMap(Count(writer, value), IsOneLine);
        WriteMembers(writer, value);
        writer.EndMap();
    }

    internal override T Read(ref DocumentReader reader)
    {
        var left = reader.BeginMap();
        return ReadMembers(ref reader, ref left);
    }

    internal override JsonObject Describe(SchemaDefinitions definitions) => definitions.Reference(Title, () =>
    {
        var (properties, required) = (new JsonObject(), new JsonArray());
        DescribeMembers(properties, required, definitions);
        return SchemaDefinitions.Object(Description, properties, required);
    });
}

internal sealed class BuiltRecord<T>(
    string title, string description, Field<T>[] fields, Func<T, string?>[] rules, bool isOneLine, Func<FieldValues, T> make)
    : MemberShape<T>(title, description)
{
    private readonly object?[] _whenAbsent = [.. fields.Select(f => f.WhenAbsent)];

    public override bool IsOneLine => isOneLine;

    public override int Count(DocumentWriter writer, T value)
    {
        if (Problem(value) is { } problem) throw writer.Refuse(problem);
        var count = 0;
        foreach (var field in fields)
            if (IsWritten(writer, field, value)) count++;
        return count;
    }

    public override void WriteMembers(DocumentWriter writer, T value)
    {
        foreach (var field in fields)
        {
            if (!IsWritten(writer, field, value)) continue;
            writer.Path.Enter(field.Name.Text);
            writer.Key(field.Name.Text);
            field.Write(writer, value);
            writer.Path.Leave();
        }
    }

    public override T ReadMembers(ref DocumentReader reader, ref int left)
    {
        var values = (object?[])_whenAbsent.Clone();
        var seen = 0UL;
        var next = 0;
        while (reader.NextMember(ref left))
        {
            var index = IndexOf(ref reader, next);
            var field = fields[index];
            reader.Path.Enter(field.Name.Text);
            if ((seen & 1UL << index) != 0) throw reader.Refuse("the member is there twice");
            seen |= 1UL << index;
            values[index] = field.Read(ref reader);
            reader.Path.Leave();
            next = index + 1;
        }
        for (var i = 0; i < fields.Length; i++)
            if (fields[i].IsRequired && (seen & 1UL << i) == 0) throw reader.Refuse($"member '{fields[i].Name.Text}' is missing");
        return Make(ref reader, new FieldValues(values));
    }

    public override void DescribeMembers(JsonObject properties, JsonArray required, SchemaDefinitions definitions)
    {
        foreach (var field in fields)
        {
            var schema = field.Describe(definitions);
            schema["description"] = field.Description;
            properties[field.Name.Text] = schema;
            if (field.IsRequired) required.Add(field.Name.Text);
        }
    }

    private static bool IsWritten(DocumentWriter writer, Field<T> field, T value) =>
        field.IsHint ? writer.WritesHints && field.IsWritten(value) : field.IsWritten(value);

    /// <summary>Which member the key names; tries first the one that follows the last, as writers write them.</summary>
    private int IndexOf(ref DocumentReader reader, int next)
    {
        for (var i = 0; i < fields.Length; i++)
        {
            var index = (next + i) % fields.Length;
            if (reader.KeyIs(fields[index].Name) && (reader.AllowsHints || !fields[index].IsHint)) return index;
        }
        throw reader.Refuse($"unknown member '{DocumentPath.Shown(reader.KeyText())}'");
    }

    private T Make(ref DocumentReader reader, FieldValues values)
    {
        T value;
        try
        {
            value = make(values);
        }
        catch (MigrateException e)
        {
            throw reader.Refuse(e.Message, e.Code, e);
        }
        return Problem(value) is { } problem ? throw reader.Refuse(problem) : value;
    }

    private string? Problem(T value)
    {
        foreach (var rule in rules)
            if (rule(value) is { } problem) return problem;
        return null;
    }
}
