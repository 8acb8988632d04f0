using Migrate.ProcessTests.Harness;

namespace Migrate.ProcessTests;

/// <summary>What a script relies on: exit codes, the result alone on stdout, one line for an error.</summary>
public sealed class ExitCodeTests : IDisposable
{
    private readonly Vmmigrate _vmmigrate = new();

    public void Dispose() => _vmmigrate.Dispose();

    [Fact]
    public void A_refused_move_exits_1_with_the_verdict_first_and_the_remedy_last()
    {
        var outcome = _vmmigrate.Run("check", Vmmigrate.Capture("7.2.neoverse-n1.all"), Vmmigrate.Capture("6.12.neoverse-n1.all"));
        Assert.Equal(1, outcome.ExitCode);
        Assert.StartsWith("NO: ", outcome.FirstLine);
        Assert.Contains("--psci 1.1", outcome.Out.TrimEnd().Split('\n')[^1]);
        Assert.Empty(outcome.Error);
    }

    [Fact]
    public void A_verdict_that_rests_on_assumptions_exits_6_and_0_when_that_is_accepted()
    {
        string[] check = ["check", Vmmigrate.Capture("6.12.neoverse-n1.all"), Vmmigrate.Capture("7.2.neoverse-n1.all")];
        Assert.Equal(6, _vmmigrate.Run(check).ExitCode);
        Assert.Equal(0, _vmmigrate.Run([.. check, "--accept", "assumed"]).ExitCode);
    }

    [Theory]
    [InlineData("chek")]
    [InlineData("check")]
    [InlineData("check", "one")]
    [InlineData("check", "one", "two", "--policy", "xen")]
    [InlineData("send", "vm", "127.0.0.1:1", "--max-downtime", "soon")]
    [InlineData("run")]
    public void A_command_line_that_does_not_parse_exits_2_and_says_where_help_is(params string[] args)
    {
        var outcome = _vmmigrate.Run(args);
        Assert.Equal(2, outcome.ExitCode);
        Assert.Empty(outcome.Out);
        Assert.Contains("--help", outcome.Error);
    }

    [Fact]
    public void A_file_that_is_not_there_exits_2_and_lists_what_was_tried()
    {
        var outcome = _vmmigrate.Run("check", "nowhere", Vmmigrate.Capture("6.12.neoverse-n1.all"));
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("'nowhere' is no file, no HOST:PORT, and no machine", outcome.Error);
    }

    [Fact]
    public void A_foreign_file_exits_2_with_one_line_that_names_it()
    {
        var outcome = _vmmigrate.Run("show", Vmmigrate.Assembly);
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("vmmigrate.dll", Assert.Single(outcome.Error.TrimEnd().Split('\n')));
    }

    [Fact]
    public void An_agent_that_nobody_runs_exits_3()
    {
        using var machine = _vmmigrate.Start("run", "--simulate", "--name", "vm", "--memory", "8M", "--end-with-stdin");
        machine.WaitFor("machine vm at");
        Assert.Equal(3, _vmmigrate.Run("send", "vm", "127.0.0.1:1").ExitCode);
        Assert.Contains("running", _vmmigrate.Run("ps").Out);
    }

    [Fact]
    public void An_error_with_json_is_a_document_on_stdout()
    {
        var outcome = _vmmigrate.Run("check", "nowhere", "nobody", "--json");
        using var error = System.Text.Json.JsonDocument.Parse(outcome.Out);
        Assert.Equal("vmmigrate/error/1", error.RootElement.GetProperty("schema").GetString());
        Assert.Equal(outcome.ExitCode, error.RootElement.GetProperty("exitCode").GetInt32());
    }

    [Fact]
    public void Help_and_version_exit_0()
    {
        Assert.Equal(0, _vmmigrate.Run("--help").ExitCode);
        Assert.Equal(0, _vmmigrate.Run("send", "--help").ExitCode);
        Assert.Contains("machine-state 1", _vmmigrate.Run("--version").Out);
    }

    [Theory]
    [InlineData("agent")]
    [InlineData("serve")]
    public void An_address_that_others_can_reach_is_refused_without_insecure(string verb)
    {
        var outcome = _vmmigrate.Run([verb, "--listen", "0.0.0.0:0", .. verb == "agent" ? new[] { "--simulate" } : []]);
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("--insecure", outcome.Error);
    }
}
