using System.Text.Json.Nodes;

namespace Migrate.Model.Encoding;

/// <summary>The named types of one JSON Schema, each described once.</summary>
internal sealed class SchemaDefinitions
{
    private readonly SortedDictionary<string, JsonObject> _definitions = new(StringComparer.Ordinal);

    /// <summary>A reference to a named type; the first one describes it.</summary>
    public JsonObject Reference(string title, Func<JsonObject> describe)
    {
        if (!_definitions.ContainsKey(title)) _definitions[title] = describe();
        return new JsonObject { ["$ref"] = $"#/$defs/{title}" };
    }

    /// <summary>All of them, by name.</summary>
    public JsonObject All() => new(_definitions.Select(d => KeyValuePair.Create(d.Key, (JsonNode?)d.Value)));

    public static JsonObject Object(string description, JsonObject properties, JsonArray required) => new()
    {
        ["description"] = description,
        ["type"] = "object",
        ["properties"] = properties,
        ["required"] = required,
        ["additionalProperties"] = false,
    };

    public static JsonObject OrNull(JsonObject schema) => new() { ["anyOf"] = new JsonArray(schema, new JsonObject { ["type"] = "null" }) };
}
