using System.Text.Json.Nodes;

namespace Migrate.Model.Encoding;

/// <summary>
/// How a <typeparamref name="T"/> is written. One declaration gives MessagePack, JSON and JSON Schema, so the three cannot drift apart.
/// Shapes are immutable, made once, and shared between threads. They come from <see cref="Shapes"/>, <see cref="RecordShape{T}"/> and
/// <see cref="UnionShape{T}"/>.
/// </summary>
/// <remarks>
/// A value that its shape does not allow is refused in both directions: what was decoded is valid, and nothing is written that could not
/// be read. Shapes do not contain themselves, so no input makes a reader recurse deeper than its shape.
/// </remarks>
public abstract class Shape<T>
{
    private protected Shape()
    {
    }

    internal abstract void Write(DocumentWriter writer, T value);

    internal abstract T Read(ref DocumentReader reader);

    /// <summary>The JSON Schema of the shape; records put themselves into the definitions and return a reference.</summary>
    internal abstract JsonObject Describe(SchemaDefinitions definitions);

    /// <summary>The same form, seen as another type. A <see cref="Errors.MigrateException"/> of the conversion back gets the path.</summary>
    internal Shape<V> As<V>(Func<V, T> toWritten, Func<T, V> fromWritten) => new MappedShape<T, V>(this, toWritten, fromWritten);

    /// <summary>The same, with a rule: a text says what is wrong with a value, null that nothing is.</summary>
    internal Shape<T> Where(Func<T, string?> problem) => new RuledShape<T>(this, problem);
}
