using System.Text.Json.Nodes;
using Migrate.Model.Encoding;
using Migrate.Model.Machines;

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

    private static string Section(string heading)
    {
        var text = Page[(Page.IndexOf($"\n## {heading}\n", StringComparison.Ordinal) + heading.Length + 5)..];
        return text.IndexOf("\n## ", StringComparison.Ordinal) is var end and >= 0 ? text[..end] : text;
    }

    private static List<string> Table(string heading) => [.. Section(heading).Split('\n').Where(l => l.StartsWith('|')).Skip(2)];
}
