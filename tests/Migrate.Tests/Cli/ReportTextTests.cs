using Migrate.Cli.Output;
using Migrate.Model.Plans;

namespace Migrate.Tests.Cli;

public class ReportTextTests
{
    private static Finding Refused(string subject, string remedy = "do this") => new()
    {
        Code = FindingCode.ValueRefused,
        Severity = Severity.Refused,
        Evidence = Evidence.Measured,
        Subject = subject,
        Here = "1",
        There = "0",
        Answer = "EINVAL",
        Remedy = remedy,
    };

    private static CheckReport Report(Verdict verdict, params Finding[] findings) => new()
    {
        Verdict = verdict,
        Policy = Policy.Vmmigrate,
        Evidence = Evidence.Measured,
        Source = "a",
        Destination = "b",
        Kept = 10,
        Changed = 1,
        LeftOut = 2,
        Refused = findings.Length,
        Findings = [.. findings],
    };

    private static string[] Lines(CheckReport report)
    {
        var output = new StringWriter();
        ReportText.Write(Terminal.To(output, TextWriter.Null), report);
        return output.ToString().TrimEnd().Split('\n');
    }

    [Theory]
    [InlineData(Verdict.Yes, "YES: a -> b", "Nothing to do.", 0)]
    [InlineData(Verdict.Unproven, "UNPROVEN: a -> b", "--accept assumed", 6)]
    public void The_verdict_is_the_first_line_and_the_remedy_the_last(Verdict verdict, string first, string last, int exit)
    {
        var lines = Lines(Report(verdict));
        Assert.StartsWith(first, lines[0]);
        Assert.Contains(last, lines[^1]);
        Assert.Equal(exit, ReportText.ExitCodeOf(verdict));
    }

    [Fact]
    public void What_only_another_destination_cures_comes_first_and_settings_of_a_VM_are_said_once()
    {
        var lines = Lines(Report(Verdict.No, Refused("a", "create the VM with A=1"), Refused("b", "choose a destination that takes it"), Refused("c", "create the VM with C=2")));
        Assert.Equal("Remedies: choose a destination that takes it; create the VM with A=1, C=2 (vmmigrate baseline works out such a VM)", lines[^1]);
    }

    [Fact]
    public void A_yes_that_rests_on_what_was_accepted_says_so_in_its_first_line()
    {
        Assert.Contains("nothing that the guest relies on is lost", Lines(Report(Verdict.Yes))[0]);
        var lines = Lines(Report(Verdict.Yes, Refused("a") with { Accepted = true }));
        Assert.StartsWith("YES: a -> b: only because accepted by name: value-refused", lines[0]);
        Assert.DoesNotContain("Nothing to do", lines[^1]);
    }

    [Fact]
    public void Every_finding_stands_in_the_table_and_every_remedy_in_the_last_line()
    {
        var lines = Lines(Report(Verdict.No, Refused("ID_AA64MMFR1_EL1.ECBHB"), Refused("ID_AA64PFR0_EL1.CSV2", "do that")));
        Assert.StartsWith("NO: a -> b: 2 findings stop it", lines[0]);
        Assert.Contains(lines, l => l.Contains("ECBHB") && l.Contains("EINVAL"));
        Assert.Contains(lines, l => l.Contains("CSV2"));
        Assert.Equal("Remedies: do this; do that", lines[^1]);
    }

    [Fact]
    public void Findings_that_differ_only_in_their_subject_are_one_line()
    {
        var lines = Lines(Report(Verdict.No, [.. Enumerable.Range(0, 5).Select(i => Refused($"CCSIDR[{i}]"))]));
        Assert.Contains(lines, l => l.Contains("CCSIDR[0] to CCSIDR[4] (5)"));
        Assert.StartsWith("NO: a -> b: 5 findings stop it", lines[0]);
    }

    [Fact]
    public void Nothing_is_cut_short_where_nobody_watches()
    {
        var remedy = new string('x', 1000);
        Assert.Contains(Lines(Report(Verdict.No, Refused("R", remedy))), l => l.Contains("EINVAL") && l.Contains(remedy));
    }

    [Fact]
    public void No_line_ends_in_blanks() => Assert.All(Lines(Report(Verdict.No, Refused("R"))), l => Assert.Equal(l.TrimEnd(), l));
}
