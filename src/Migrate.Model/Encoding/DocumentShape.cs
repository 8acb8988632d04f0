using System.Text.Json.Nodes;
using Migrate.Model.Errors;

namespace Migrate.Model.Encoding;

/// <summary>A kind of document without its type: what <see cref="DocumentFile"/> chooses from.</summary>
internal abstract record DocumentKind(string Name, int Version)
{
    public const string Prefix = "vmmigrate/";

    public string SchemaId { get; } = $"{Prefix}{Name}/{Version}";

    public abstract object Decode(ReadOnlySpan<byte> bytes, DocumentEncoding encoding);
}

internal sealed record DocumentKind<T>(DocumentShape<T> Shape) : DocumentKind(Shape.Name, Shape.Version) where T : notnull
{
    public override object Decode(ReadOnlySpan<byte> bytes, DocumentEncoding encoding) =>
        encoding == DocumentEncoding.Json ? JsonEncoding.Decode(Shape, bytes) : MessagePackEncoding.Decode(Shape, bytes);
}

/// <summary>A record that stands alone in a file: its first member is "schema" with its name and version.</summary>
public sealed class DocumentShape<T> : Shape<T>
{
    private readonly Lazy<MemberShape<T>> _members;

    /// <param name="name">The kind of document.</param>
    /// <param name="version">Its version.</param>
    /// <param name="record">Defined when it is first used: a command that reads a state does not pay for the definition of plans.</param>
    internal DocumentShape(string name, int version, Func<Shape<T>> record)
    {
        _members = new Lazy<MemberShape<T>>(() => (MemberShape<T>)record());
        (Name, Version, SchemaId) = (name, version, $"{DocumentKind.Prefix}{name}/{version}");
    }

    /// <summary>The kind of document, <c>machine-state</c>.</summary>
    public string Name { get; }

    /// <summary>The version that is written and read.</summary>
    public int Version { get; }

    /// <summary>The value of "schema": <c>vmmigrate/machine-state/1</c>.</summary>
    public string SchemaId { get; }

    /// <summary>The JSON Schema (2020-12) of the document, indented, with a newline at the end.</summary>
    public string ToJsonSchema()
    {
        var definitions = new SchemaDefinitions();
        var schema = DescribeDocument(definitions);
        schema.Insert(0, "$schema", "https://json-schema.org/draft/2020-12/schema");
        schema.Insert(1, "$id", $"urn:vmmigrate:{Name}:{Version}");
        schema.Insert(2, "title", _members.Value.Title);
        schema["$defs"] = definitions.All();
        return schema.ToJsonString(JsonEncoding.SchemaOptions) + "\n";
    }

    internal override void Write(DocumentWriter writer, T value)
    {
        writer.BeginMap(1 + _members.Value.Count(writer, value), oneLine: false);
        SchemaIdShape.WriteMember(writer, SchemaId);
        _members.Value.WriteMembers(writer, value);
        writer.EndMap();
    }

    internal override T Read(ref DocumentReader reader)
    {
        var left = reader.BeginMap();
        var id = SchemaIdShape.Read(ref reader, ref left);
        if (id != SchemaId) throw reader.Refuse($"the schema is '{DocumentPath.Shown(id)}', wanted is '{SchemaId}'", ErrorCode.Unsupported);
        return _members.Value.ReadMembers(ref reader, ref left);
    }

    /// <summary>Reads what follows the first member.</summary>
    internal T ReadMembers(ref DocumentReader reader, ref int left) => _members.Value.ReadMembers(ref reader, ref left);

    /// <summary>A name of its own: the same record embedded without "schema" is another type.</summary>
    internal override JsonObject Describe(SchemaDefinitions definitions) =>
        definitions.Reference($"{_members.Value.Title}Document", () => DescribeDocument(definitions));

    private JsonObject DescribeDocument(SchemaDefinitions definitions)
    {
        var properties = new JsonObject
        {
            ["schema"] = new JsonObject { ["const"] = SchemaId, ["description"] = "Which document this is; always the first member." },
        };
        var required = new JsonArray("schema");
        _members.Value.DescribeMembers(properties, required, definitions);
        return SchemaDefinitions.Object(_members.Value.Description, properties, required);
    }
}
