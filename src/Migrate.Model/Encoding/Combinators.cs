using System.Text.Json.Nodes;
using Migrate.Model.Errors;

namespace Migrate.Model.Encoding;

internal sealed class ListShape<T>(Shape<T> element, int maximum) : Shape<EquatableArray<T>>
{
    internal override void Write(DocumentWriter writer, EquatableArray<T> value)
    {
        if (value.Count > maximum) throw writer.Refuse(Problem(value.Count), ErrorCode.TooLarge);
        writer.BeginArray(value.Count);
        for (var i = 0; i < value.Count; i++)
        {
            writer.Path.Enter(i);
            element.Write(writer, value[i]);
            writer.Path.Leave();
        }
        writer.EndArray();
    }

    internal override EquatableArray<T> Read(ref DocumentReader reader)
    {
        var left = reader.BeginArray();
        if (left > maximum) throw reader.Refuse(Problem(left), ErrorCode.TooLarge);
        // Grows with what was really read: a header's claim costs nothing.
        var items = new List<T>();
        while (reader.NextElement(ref left))
        {
            if (items.Count == maximum) throw reader.Refuse(Problem(maximum + 1), ErrorCode.TooLarge);
            reader.Path.Enter(items.Count);
            items.Add(element.Read(ref reader));
            reader.Path.Leave();
        }
        return new EquatableArray<T>([.. items]);
    }

    internal override JsonObject Describe(SchemaDefinitions definitions) =>
        new() { ["type"] = "array", ["maxItems"] = maximum, ["items"] = element.Describe(definitions) };

    private string Problem(int count) => $"{count} elements, the limit is {maximum}";
}

internal sealed class OptionalShape<T>(Shape<T> shape) : Shape<T?> where T : class
{
    internal override void Write(DocumentWriter writer, T? value)
    {
        if (value is null) writer.Null();
        else shape.Write(writer, value);
    }

    internal override T? Read(ref DocumentReader reader) => reader.TryNull() ? null : shape.Read(ref reader);

    internal override JsonObject Describe(SchemaDefinitions definitions) => SchemaDefinitions.OrNull(shape.Describe(definitions));
}

internal sealed class OptionalValueShape<T>(Shape<T> shape) : Shape<T?> where T : struct
{
    internal override void Write(DocumentWriter writer, T? value)
    {
        if (value is null) writer.Null();
        else shape.Write(writer, value.Value);
    }

    internal override T? Read(ref DocumentReader reader) => reader.TryNull() ? null : shape.Read(ref reader);

    internal override JsonObject Describe(SchemaDefinitions definitions) => SchemaDefinitions.OrNull(shape.Describe(definitions));
}

internal sealed class MappedShape<T, V>(Shape<T> written, Func<V, T> toWritten, Func<T, V> fromWritten) : Shape<V>
{
    internal override void Write(DocumentWriter writer, V value) => written.Write(writer, toWritten(value));

    internal override V Read(ref DocumentReader reader)
    {
        var value = written.Read(ref reader);
        try
        {
            return fromWritten(value);
        }
        catch (MigrateException e)
        {
            throw reader.Refuse(e.Message, e.Code, e);
        }
    }

    internal override JsonObject Describe(SchemaDefinitions definitions) => written.Describe(definitions);
}

internal sealed class RuledShape<T>(Shape<T> shape, Func<T, string?> problem) : Shape<T>
{
    internal override void Write(DocumentWriter writer, T value)
    {
        if (problem(value) is { } wrong) throw writer.Refuse(wrong);
        shape.Write(writer, value);
    }

    internal override T Read(ref DocumentReader reader)
    {
        var value = shape.Read(ref reader);
        return problem(value) is { } wrong ? throw reader.Refuse(wrong) : value;
    }

    internal override JsonObject Describe(SchemaDefinitions definitions) => shape.Describe(definitions);
}
