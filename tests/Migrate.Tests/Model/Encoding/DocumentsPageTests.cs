using System.Text.Json.Nodes;
using Migrate.Model;
using Migrate.Model.Encoding;
using Migrate.Model.Machines;
using Migrate.Model.Registers;

namespace Migrate.Tests.Model.Encoding;

/// <summary>schemas/README.md says how values are written, for whoever has no code of ours: its tables are held against the code here.</summary>
public class DocumentsPageTests
{
    private static readonly string Folder = Path.Combine(Repository.Root, "schemas");
    private static readonly string Page = File.ReadAllText(Path.Combine(Folder, "README.md"));

    [Fact]
    public void Every_feature_of_a_vCPU_stands_there_with_its_bit_and_nothing_else() => Assert.Equal(
        VcpuFeatures.Known.Select(f => $"| {f.Bit} | `{f.Name}` | KVM_ARM_VCPU_{f.Name.ToUpperInvariant()} |"), Table("Features of a vCPU"));

    [Theory]
    [InlineData("bit9", true), InlineData("bit63", true)]
    [InlineData("bit2", false), InlineData("bit09", false), InlineData("bit64", false), InlineData("ptrauth", false), InlineData("0x4", false), InlineData("none", false)]
    public void A_document_names_a_feature_as_the_page_says_and_no_other_way(string name, bool isTaken)
    {
        var vm = JsonNode.Parse(JsonEncoding.Encode(Documents.VmDescription, new RandomModel(1).Vm(1)))!;
        vm["features"] = new JsonArray(name);
        var read = Record.Exception(() => JsonEncoding.Decode(Documents.VmDescription, System.Text.Encoding.UTF8.GetBytes(vm.ToJsonString())));
        Assert.Equal(isTaken, read is null);
    }

    [Fact]
    public void Every_form_that_a_schema_asks_for_has_its_row()
    {
        var (patterns, types) = (new SortedSet<string>(StringComparer.Ordinal), new SortedSet<string>(StringComparer.Ordinal));
        foreach (var file in Directory.GetFiles(Folder, "*.schema.json")) Collect(JsonNode.Parse(File.ReadAllText(file))!, patterns, types);
        var rows = Table("From JSON to MessagePack").Select(r => r.Split('|')[1].Trim()).ToList();
        Assert.Equal(patterns.Select(p => $"string of `{p}`"), rows.Where(r => r.Contains('`') && r.Contains('^')).Order(StringComparer.Ordinal));
        Assert.Equal(types, rows.Select(r => r.Split(' ')[0]).Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void What_has_a_pattern_is_in_MessagePack_what_its_row_says()
    {
        Is(Shapes.Hex64, 0x8000_0000_0000_0000UL, "integer, unsigned; signed where the description says two's complement", "cf8000000000000000");
        Is(Shapes.Int64, -1, "integer, unsigned; signed where the description says two's complement", "ff");
        Is(Shapes.RegisterValue, new RegisterValue(0x0102), "binary (bin), the least significant byte first: the digits' order reversed", "c4080201000000000000");
        Is(Shapes.Bytes(16), EquatableArray.Create<byte>([1, 2]), "binary (bin), the bytes in the digits' order", "c4020102");

        static void Is<T>(Shape<T> shape, T value, string words, string bytes)
        {
            var pattern = (string?)new JsonSchemas().Describe(shape)["pattern"];
            Assert.Contains($"| string of `{pattern}` | {words} |", Page);
            Assert.Equal(bytes, Convert.ToHexStringLower(MessagePackEncoding.Encode(shape, value)));
        }
    }

    [Fact]
    public void The_example_is_one_step_in_both()
    {
        var lines = Section("From JSON to MessagePack").Split("```")[1].Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var step = JsonEncoding.Decode(Documents.RestoreStep, System.Text.Encoding.UTF8.GetBytes(lines[0]));
        Assert.Equal(string.Concat(lines[1..]).Replace(" ", ""), Convert.ToHexStringLower(MessagePackEncoding.Encode(Documents.RestoreStep, step)));
    }

    private static void Collect(JsonNode node, SortedSet<string> patterns, SortedSet<string> types)
    {
        if (node is JsonArray array)
        {
            foreach (var element in array) if (element is not null) Collect(element, patterns, types);
        }
        else if (node is JsonObject map)
        {
            foreach (var (key, value) in map)
            {
                if (key == "pattern" && value is JsonValue) patterns.Add((string)value!);
                else if (key == "type" && value is JsonValue) types.Add((string)value!);
                else if (value is not null) Collect(value, patterns, types);
            }
        }
    }

    private static string Section(string heading)
    {
        var text = Page[(Page.IndexOf($"\n## {heading}\n", StringComparison.Ordinal) + heading.Length + 5)..];
        return text.IndexOf("\n## ", StringComparison.Ordinal) is var end and >= 0 ? text[..end] : text;
    }

    private static List<string> Table(string heading) => [.. Section(heading).Split('\n').Where(l => l.StartsWith('|')).Skip(2)];
}
