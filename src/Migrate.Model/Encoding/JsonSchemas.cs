using System.Text.Json.Nodes;

namespace Migrate.Model.Encoding;

/// <summary>The JSON Schemas (2020-12) of several shapes that share their named types, for a document that embeds them, such as an OpenAPI description.</summary>
public sealed class JsonSchemas
{
    private readonly SchemaDefinitions _definitions = new();

    /// <summary>The schema of a shape; a record's is a reference <c>#/$defs/NAME</c>.</summary>
    public JsonObject Describe<T>(Shape<T> shape) => shape.Describe(_definitions);

    /// <summary>Every named type that the shapes described so far refer to, by name.</summary>
    public JsonObject Definitions() => _definitions.All();
}
