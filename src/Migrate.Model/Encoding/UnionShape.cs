using System.Text.Json.Nodes;

namespace Migrate.Model.Encoding;

/// <summary>One of several records, told apart by the text "kind", which is the first member of the map.</summary>
/// <param name="title">The type's name in schemas, PascalCase and unique.</param>
/// <param name="description">One sentence for schemas.</param>
public sealed class UnionShape<T>(string title, string description) : Shape<T> where T : class
{
    private static readonly MemberName Kind = new("kind");
    private readonly List<Case> _cases = [];

    /// <summary>Adds a record type under its kind. Declare all cases before the shape is used.</summary>
    /// <exception cref="ArgumentException">The shape is no record's, or the kind or type is already there.</exception>
    public UnionShape<T> With<C>(string kind, Shape<C> record) where C : class, T
    {
        if (record is not MemberShape<C> members) throw new ArgumentException($"'{kind}' of {title} is not a record");
        if (_cases.Exists(c => c.Kind == kind || c.Type == typeof(C))) throw new ArgumentException($"'{kind}' of {title} is there twice");
        _cases.Add(new Case<C>(kind, members));
        return this;
    }

    internal override void Write(DocumentWriter writer, T value)
    {
        var found = _cases.Find(c => c.Type == value.GetType()) ?? throw writer.Refuse($"{value.GetType().Name} is no {title}");
        writer.BeginMap(1 + found.Count(writer, value), found.IsOneLine);
        writer.Key(Kind.Text);
        writer.Text(found.Kind);
        found.WriteMembers(writer, value);
        writer.EndMap();
    }

    internal override T Read(ref DocumentReader reader)
    {
        var left = reader.BeginMap();
        if (!reader.NextMember(ref left) || !reader.KeyIs(Kind)) throw reader.Refuse("the first member must be 'kind'");
        reader.Path.Enter(Kind.Text);
        var kind = reader.Text(64);
        var found = _cases.Find(c => c.Kind == kind)
            ?? throw reader.Refuse($"'{DocumentPath.Shown(kind)}' is no kind of {title}; known: {string.Join(", ", _cases.Select(c => c.Kind))}");
        reader.Path.Leave();
        return found.ReadMembers(ref reader, ref left);
    }

    internal override JsonObject Describe(SchemaDefinitions definitions) => definitions.Reference(title, () => new JsonObject
    {
        ["description"] = description,
        ["oneOf"] = new JsonArray([.. _cases.Select(c => (JsonNode)c.Describe(definitions))]),
    });

    private abstract class Case(string kind)
    {
        public string Kind { get; } = kind;

        public abstract Type Type { get; }

        public abstract bool IsOneLine { get; }

        public abstract int Count(DocumentWriter writer, T value);

        public abstract void WriteMembers(DocumentWriter writer, T value);

        public abstract T ReadMembers(ref DocumentReader reader, ref int left);

        public abstract JsonObject Describe(SchemaDefinitions definitions);
    }

    private sealed class Case<C>(string kind, MemberShape<C> members) : Case(kind) where C : class, T
    {
        public override Type Type => typeof(C);

        public override bool IsOneLine => members.IsOneLine;

        public override int Count(DocumentWriter writer, T value) => members.Count(writer, (C)value);

        public override void WriteMembers(DocumentWriter writer, T value) => members.WriteMembers(writer, (C)value);

        public override T ReadMembers(ref DocumentReader reader, ref int left) => members.ReadMembers(ref reader, ref left);

        public override JsonObject Describe(SchemaDefinitions definitions) => definitions.Reference(members.Title, () =>
        {
            var properties = new JsonObject { ["kind"] = new JsonObject { ["const"] = Kind } };
            var required = new JsonArray("kind");
            members.DescribeMembers(properties, required, definitions);
            return SchemaDefinitions.Object(members.Description, properties, required);
        });
    }
}
