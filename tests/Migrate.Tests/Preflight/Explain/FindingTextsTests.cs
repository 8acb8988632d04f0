using System.Text.RegularExpressions;
using Migrate.Cli.Sources;
using Migrate.Model.Plans;
using Migrate.Model.Registers;
using Migrate.Preflight;
using Migrate.Preflight.Explain;

namespace Migrate.Tests.Preflight.Explain;

public sealed partial class FindingTextsTests
{
    private static readonly string Sources = Path.Combine(Repository.Root, "src", "Migrate.Preflight");

    [Fact]
    public void Every_finding_code_has_one_text_with_every_part()
    {
        Assert.Equal(Enum.GetValues<FindingCode>().Order(), FindingTexts.All.Select(t => t.Code).Order());
        foreach (var text in FindingTexts.All)
        {
            Assert.All([text.Meaning, text.Guest, text.Remedy, text.Accepting], part => Assert.EndsWith(".", part));
            Assert.True(text.Severities.Length > 0 && text.Severities.Order().SequenceEqual(text.Severities), $"{text.Code}: severities");
        }
    }

    [Fact]
    public void Every_rule_is_described_with_exactly_the_codes_that_its_source_names()
    {
        var files = Directory.GetFiles(Path.Combine(Sources, "Rules")).Concat(Directory.GetFiles(Path.Combine(Sources, "Registers"))).ToList();
        Assert.NotEmpty(files);
        var described = RuleTexts.All.ToDictionary(r => r.Rule.Name, r => r.Codes);
        foreach (var file in files)
        {
            var name = Path.GetFileNameWithoutExtension(file);
            var codes = Code().Matches(File.ReadAllText(file)).Select(m => Enum.Parse<FindingCode>(m.Groups[1].Value)).Distinct().Order().ToList();
            if (!described.Remove(name, out var said))
                Assert.True(codes.Count == 0 && !name.EndsWith("Rule", StringComparison.Ordinal), $"{name} emits {string.Join(", ", codes)} and has no row in RuleTexts");
            else
                Assert.True(codes.SequenceEqual(said.Order()), $"{name} names {string.Join(", ", codes)}; its row in RuleTexts says {string.Join(", ", said)}");
        }
        Assert.Empty(described.Keys);
    }

    [Fact]
    public void Every_code_is_found_by_a_rule()
    {
        // A dry run alone finds this one.
        Assert.All(FindingTexts.All.Where(t => t.Code != FindingCode.StepRefused), t => Assert.Contains(RuleTexts.All, r => r.Codes.Contains(t.Code)));
    }

    [Fact]
    public void No_plan_for_the_bundled_hosts_finds_a_severity_that_the_text_does_not_have()
    {
        var profiles = BundledHosts.Names.Select(BundledHosts.Load).ToList();
        var seen = 0;
        foreach (var source in profiles)
        {
            var machine = DefaultMachine.Of(source, null);
            foreach (var finding in profiles.SelectMany(there => Planner.Plan(machine, there, new PlanOptions(), source).Findings))
            {
                Assert.True(FindingTexts.Of(finding.Code).Severities.Contains(finding.Severity), $"{finding.Code} {finding.Severity}: {finding.Subject}");
                seen++;
            }
        }
        Assert.True(seen > 100);
    }

    [Fact]
    public void Register_ids_in_the_words_of_a_VMM_are_ids_of_registers()
    {
        var ids = FindingTexts.All.SelectMany(t => Id().Matches(t.Qemu + t.Firecracker)).Select(m => m.Value).ToList();
        Assert.NotEmpty(ids);
        Assert.All(ids, id => Assert.True(RegisterId.TryParse(id, out var parsed) && RegisterCatalog.Find(parsed) is not null, id));
    }

    [Fact]
    public void What_the_planner_never_accepts_has_no_argument_of_accept_and_everything_else_that_stops_has()
    {
        foreach (var finding in Explainer.Codes().Findings)
        {
            var never = PlanBuilder.NeverAcceptable.Contains(finding.Code) || finding.Code == FindingCode.LeftOut;
            Assert.Equal(never, finding.Accept.Length == 0);
            Assert.True(never || finding.Accept == "assumed" || (FindingCodes.TryParse(finding.Accept, out var code) && code == finding.Code));
        }
    }

    [GeneratedRegex(@"FindingCode\.(\w+)")]
    private static partial Regex Code();

    [GeneratedRegex("0x6[0-9a-f]{15}")]
    private static partial Regex Id();
}
