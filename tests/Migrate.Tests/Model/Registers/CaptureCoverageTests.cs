using System.Text.RegularExpressions;
using Migrate.Model.Registers;

namespace Migrate.Tests.Model.Registers;

/// <summary>Every register that real kernels list has a name.</summary>
public partial class CaptureCoverageTests
{
    [Fact]
    public void Only_unallocated_identification_encodings_lack_a_name()
    {
        var ids = new SortedSet<RegisterId>();
        foreach (var file in Directory.GetFiles(Repository.Data("captures"), "*.*.*.txt"))
            foreach (Match line in RegisterLine().Matches(File.ReadAllText(file)))
            {
                Assert.True(RegisterId.TryParse(line.Groups[1].ValueSpan, out var id));
                ids.Add(id);
            }

        Assert.Equal(395, ids.Count);
        var unnamed = ids.Where(id => RegisterCatalog.Find(id) is null).Select(RegisterCatalog.Name);
        Assert.Equal(
            [
                "S3_0_C0_C3_3", "S3_0_C0_C3_7",
                "S3_0_C0_C4_3", "S3_0_C0_C4_6",
                "S3_0_C0_C5_3", "S3_0_C0_C5_6", "S3_0_C0_C5_7",
                "S3_0_C0_C6_4", "S3_0_C0_C6_5", "S3_0_C0_C6_6", "S3_0_C0_C6_7",
                "S3_0_C0_C7_5", "S3_0_C0_C7_6", "S3_0_C0_C7_7",
            ],
            unnamed);
    }

    [GeneratedRegex(@"^R ([0-9a-f]{16}) ", RegexOptions.Multiline)]
    private static partial Regex RegisterLine();
}
