using System.Text.Json.Nodes;
using Migrate.Model.Errors;

namespace Migrate.Model.Encoding;

/// <summary>The first member of a document, whichever document it is; what follows is left unread.</summary>
internal sealed class SchemaIdShape : Shape<string>
{
    private const int LongestId = 128;
    private static readonly MemberName Schema = new("schema");

    public static SchemaIdShape Instance { get; } = new();

    /// <summary>Reads the member; the reader is inside the map.</summary>
    public static string Read(ref DocumentReader reader, ref int left)
    {
        if (!reader.NextMember(ref left) || !reader.KeyIs(Schema))
            throw reader.Refuse("no vmmigrate document: the first member must be 'schema'", ErrorCode.Unsupported);
        reader.Path.Enter(Schema.Text);
        var id = reader.Text(LongestId);
        reader.Path.Leave();
        return id;
    }

    /// <summary>Writes the member.</summary>
    public static void WriteMember(DocumentWriter writer, string id)
    {
        writer.Key(Schema.Text);
        writer.Text(id);
    }

    internal override string Read(ref DocumentReader reader)
    {
        var left = reader.BeginMap();
        return Read(ref reader, ref left);
    }

    internal override void Write(DocumentWriter writer, string value)
    {
        writer.BeginMap(1, oneLine: true);
        WriteMember(writer, value);
        writer.EndMap();
    }

    internal override JsonObject Describe(SchemaDefinitions definitions) => new() { ["type"] = "string", ["maxLength"] = LongestId };
}
