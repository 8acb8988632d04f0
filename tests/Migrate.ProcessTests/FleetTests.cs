using System.Text.Json;
using Migrate.ProcessTests.Harness;

namespace Migrate.ProcessTests;

/// <summary><c>matrix</c> and <c>explain</c> as a script uses them.</summary>
public sealed class FleetTests : IDisposable
{
    private readonly Vmmigrate _vmmigrate = new();

    public void Dispose() => _vmmigrate.Dispose();

    [Theory]
    [InlineData(0, "YES: ", "6.12-neoverse-n1", "6.12-neoverse-n1")]
    [InlineData(1, "NO: ", "6.12-neoverse-n1", "7.2-neoverse-n1")]
    [InlineData(6, "UNPROVEN: ", "tests/Data/captures/6.12.neoverse-n1.all.txt", "tests/Data/captures/6.12.neoverse-n1.min.txt")]
    public void A_matrix_exits_0_when_all_are_yes_1_when_one_is_no_6_when_some_are_unproven(int exit, string first, params string[] args)
    {
        var outcome = _vmmigrate.Run(["matrix", .. args.Select(a => a.StartsWith("tests/", StringComparison.Ordinal) ? Path.Combine(Vmmigrate.Root, a) : a)]);
        Assert.Equal(exit, outcome.ExitCode);
        Assert.StartsWith(first, outcome.FirstLine);
        Assert.Empty(outcome.Error);
    }

    [Fact]
    public void A_matrix_is_a_page_on_disk_or_one_document_and_show_reads_the_document()
    {
        var page = Path.Combine(_vmmigrate.State, "fleet.html");
        Assert.Equal(1, _vmmigrate.Run("matrix", "6.12-neoverse-n1", "7.2-neoverse-n1", "--html", page).ExitCode);
        Assert.StartsWith("<!doctype html>", File.ReadAllText(page));
        var json = _vmmigrate.Run("matrix", "6.12-neoverse-n1", Vmmigrate.Capture("7.2.neoverse-n1.all"), "--json").Out;
        using var document = JsonDocument.Parse(json);
        Assert.Equal("vmmigrate/matrix/1", document.RootElement.GetProperty("schema").GetString());
        var file = Path.Combine(_vmmigrate.State, "matrix.json");
        File.WriteAllText(file, json);
        Assert.Contains("NO: 2 hosts", _vmmigrate.Run("show", file).Out);
    }

    [Theory]
    [InlineData("matrix", "6.12-neoverse-n1")]
    [InlineData("matrix", "6.12-neoverse-n1", "nowhere")]
    [InlineData("matrix", "6.12-neoverse-n1", "7.2-max", "--json", "--html", "x")]
    [InlineData("explain", "nonsense")]
    [InlineData("explain", "psci-version", "--host", "7.2-max")]
    [InlineData("explain", "--host", "7.2-max")]
    public void What_makes_no_sense_exits_2_and_says_why(params string[] args)
    {
        var outcome = _vmmigrate.Run(args);
        Assert.Equal(2, outcome.ExitCode);
        Assert.NotEmpty(outcome.Error);
    }

    [Fact]
    public void Explain_lists_the_codes_and_tells_a_register_on_a_host()
    {
        Assert.Contains("workaround-level", _vmmigrate.Run("explain").Out);
        var register = _vmmigrate.Run("explain", "ID_AA64PFR0_EL1.CSV2", "--host", "7.2-neoverse-n1", "--json");
        Assert.Equal(0, register.ExitCode);
        using var document = JsonDocument.Parse(register.Out);
        Assert.Equal("vmmigrate/explanation/1", document.RootElement.GetProperty("schema").GetString());
        Assert.Equal("CSV2", document.RootElement.GetProperty("register").GetProperty("host").GetProperty("fields")[0].GetProperty("name").GetString());
    }
}
