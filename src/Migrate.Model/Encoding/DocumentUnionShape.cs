using System.Text.Json.Nodes;
using Migrate.Model.Errors;

namespace Migrate.Model.Encoding;

/// <summary>One of several documents, told apart by "schema", which is the first member of each.</summary>
/// <param name="title">The type's name in schemas, PascalCase and unique.</param>
/// <param name="description">One sentence for schemas.</param>
public sealed class DocumentUnionShape(string title, string description) : Shape<object>
{
    private readonly List<Case> _cases = [];

    /// <summary>Adds a document. Declare all cases before the shape is used.</summary>
    /// <exception cref="ArgumentException">The document or its type is already there.</exception>
    public DocumentUnionShape With<C>(DocumentShape<C> document) where C : class
    {
        if (_cases.Exists(c => c.SchemaId == document.SchemaId || c.Type == typeof(C)))
            throw new ArgumentException($"'{document.SchemaId}' of {title} is there twice");
        _cases.Add(new Case<C>(document));
        return this;
    }

    internal override void Write(DocumentWriter writer, object value)
    {
        var found = _cases.Find(c => c.Type == value.GetType()) ?? throw writer.Refuse($"{value.GetType().Name} is no {title}");
        found.Write(writer, value);
    }

    internal override object Read(ref DocumentReader reader)
    {
        var left = reader.BeginMap();
        var id = SchemaIdShape.Read(ref reader, ref left);
        var found = _cases.Find(c => c.SchemaId == id) ?? throw reader.Refuse(
            $"the schema is '{DocumentPath.Shown(id)}', wanted is one of {string.Join(", ", _cases.Select(c => $"'{c.SchemaId}'"))}", ErrorCode.Unsupported);
        return found.ReadMembers(ref reader, ref left);
    }

    internal override JsonObject Describe(SchemaDefinitions definitions) => definitions.Reference(title, () => new JsonObject
    {
        ["description"] = description,
        ["oneOf"] = new JsonArray([.. _cases.Select(c => (JsonNode)c.Describe(definitions))]),
    });

    private abstract class Case(string schemaId)
    {
        public string SchemaId { get; } = schemaId;

        public abstract Type Type { get; }

        public abstract void Write(DocumentWriter writer, object value);

        public abstract object ReadMembers(ref DocumentReader reader, ref int left);

        public abstract JsonObject Describe(SchemaDefinitions definitions);
    }

    private sealed class Case<C>(DocumentShape<C> document) : Case(document.SchemaId) where C : class
    {
        public override Type Type => typeof(C);

        public override void Write(DocumentWriter writer, object value) => document.Write(writer, (C)value);

        public override object ReadMembers(ref DocumentReader reader, ref int left) => document.ReadMembers(ref reader, ref left);

        public override JsonObject Describe(SchemaDefinitions definitions) => document.Describe(definitions);
    }
}
