using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Migrate.Cli.Output.Matrix;
using Migrate.Model.Hosts;
using Migrate.Model.Plans;
using Migrate.Preflight;
using Migrate.Preflight.Fleet;
using Migrate.Tests.Preflight;

namespace Migrate.Tests.Cli;

public sealed partial class MatrixHtmlTests
{
    private const string Hostile = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&{{data}}";

    private static string Page(params string[] names) => MatrixHtml.Of(Report(names), "vmmigrate test");

    private static MatrixReport Report(params string[] names) => FleetMatrix.Of([.. names.Select((name, i) => new FleetHost(name, Host(name, i)))], null, new PlanOptions());

    /// <summary>Every third host differs, so that some pairs are no; what a profile says of itself is hostile, too.</summary>
    private static HostProfile Host(string name, int index)
    {
        var host = Given.Host() with { CounterFrequency = index % 3 == 2 ? 25_000_000UL : 1_000_000_000 };
        return host with { Boot = host.Boot with { HostName = name, KernelRelease = "<b>" } };
    }

    [Fact]
    public void Names_from_files_are_text_everywhere()
    {
        var page = Page("plain", Hostile, "third");
        Assert.Equal(2, Regex.Count(page, "<script"));
        Assert.Equal(2, Regex.Count(page, "</script>"));
        Assert.DoesNotContain("<img", page);
        Assert.DoesNotContain("<b>)", page);
        Assert.Contains("&lt;img src=x onerror=alert(2)&gt;&quot;&#39;&amp;{{data}}", page);
        using var data = JsonDocument.Parse(Data().Match(page).Groups[1].Value);
        Assert.Equal(Hostile, data.RootElement.GetProperty("hosts")[1].GetProperty("name").GetString());
    }

    [Fact]
    public void The_policy_of_the_page_allows_its_own_script_and_style_and_nothing_else()
    {
        var page = Page("a", "b");
        var policy = Policy().Match(page).Groups[1].Value;
        foreach (var (directive, part) in new[] { ("script-src", Script().Match(page).Groups[1].Value), ("style-src", Style().Match(page).Groups[1].Value) })
            Assert.Contains($"{directive} 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(part)))}'", policy);
        Assert.StartsWith("default-src 'none'", policy);
        Assert.DoesNotContain("unsafe", policy);
        // An element's own style or handler would be blocked by it.
        Assert.DoesNotMatch(@"<[^>]*\s(style|on\w+)=", page);
    }

    [Fact]
    public void Nothing_is_loaded_from_elsewhere() => Assert.DoesNotMatch(@"(src|href)\s*=|https?://|@import|url\(", Page("a", "b"));

    [Fact]
    public void Every_cell_is_readable_without_colour_and_reached_by_the_keyboard()
    {
        var page = Page("a", "b", "c");
        var cells = Cell().Matches(page).Select(m => m.Groups[1].Value).ToList();
        Assert.Equal(9, cells.Count);
        Assert.Equal((3, 2, 4), (cells.Count(c => c == "·"), cells.Count(c => c == "✓"), cells.Count(c => c == "✕")));
    }

    [Fact]
    public void Every_pair_has_its_reasons_beside_it()
    {
        var report = Report("a", "b", "c");
        using var data = JsonDocument.Parse(Data().Match(MatrixHtml.Of(report, "test")).Groups[1].Value);
        var pairs = data.RootElement.GetProperty("pairs").EnumerateArray().Where(p => p.ValueKind == JsonValueKind.Object).ToList();
        Assert.Equal(report.Pairs.Count, pairs.Count);
        Assert.All(pairs.Where(p => p.GetProperty("verdict").GetString() == "n"), p => Assert.NotEqual(0, p.GetProperty("reasons").GetArrayLength()));
        Assert.Equal("counter-frequency", data.RootElement.GetProperty("reasons")[0].GetProperty("code").GetString());
    }

    [Fact]
    public void A_hundred_hosts_fit_into_a_file_that_a_browser_opens_at_once()
    {
        var page = Page([.. Enumerable.Range(0, 100).Select(i => $"host-{i:D3}")]);
        Assert.Equal(10_000, Cell().Count(page));
        Assert.InRange(page.Length, 0, 2_000_000);
    }

    [GeneratedRegex("<script type=\"application/json\" id=\"data\">(.*?)</script>", RegexOptions.Singleline)]
    private static partial Regex Data();

    [GeneratedRegex("<script>(.*?)</script>", RegexOptions.Singleline)]
    private static partial Regex Script();

    [GeneratedRegex("<style>(.*?)</style>", RegexOptions.Singleline)]
    private static partial Regex Style();

    [GeneratedRegex("Content-Security-Policy\" content=\"([^\"]*)\"")]
    private static partial Regex Policy();

    [GeneratedRegex("<td class=\"[a-z0-9]+\" role=\"gridcell\" tabindex=\"-1\">(.)")]
    private static partial Regex Cell();
}
