using System.Text.Json;
using Migrate.ProcessTests.Harness;

namespace Migrate.ProcessTests;

/// <summary><c>check --dry-run</c> with real processes: through an agent, and on a machine that has no arm64 KVM.</summary>
public sealed class DryRunTests : IDisposable
{
    private readonly TwoHosts _hosts = new();

    public void Dispose() => _hosts.Dispose();

    private static string Measured(string host) => Path.Combine(Vmmigrate.Root, "tests", "Data", "lab", host, "probe.profile");

    [Fact]
    public void An_agent_tries_the_machine_and_the_answer_is_yes_or_no_with_the_steps_in_json()
    {
        _hosts.StartAgent(null, Measured("6.12.neoverse-n1"));
        using var yes = Parse(Check(Measured("6.12.neoverse-n1")).Exited(0));
        Assert.Equal(("yes", "tried"), (Text(yes, "verdict"), Text(yes, "evidence")));
        var trial = yes.RootElement.GetProperty("trial");
        Assert.True(trial.GetProperty("executed").GetInt32() > 200);
        Assert.Equal(0, trial.GetProperty("failed").GetArrayLength());
        using var no = Parse(Check(Vmmigrate.Capture("7.2.neoverse-n1.all")).Exited(1));
        Assert.Equal("no", Text(no, "verdict"));
        Assert.True(no.RootElement.GetProperty("trial").GetProperty("executed").GetInt32() > 200);
    }

    [Fact]
    public void What_no_dry_run_can_try_is_unproven_until_it_is_accepted()
    {
        // A raw capture does not say at which frequency its host's counter runs.
        _hosts.StartAgent(null, Measured("6.12.neoverse-n1"));
        using var unproven = Parse(Check(Vmmigrate.Capture("6.12.neoverse-n1.all")).Exited(6));
        Assert.Contains(unproven.RootElement.GetProperty("findings").EnumerateArray(), f => f.GetProperty("code").GetString() == "counter-frequency");
        Check(Vmmigrate.Capture("6.12.neoverse-n1.all"), "--accept", "assumed").Exited(0);
    }

    [Fact]
    public void A_machine_that_runs_is_tried_at_an_agent_and_runs_on()
    {
        _hosts.StartAgent();
        using var machine = _hosts.StartMachine();
        var said = _hosts.Source.Run("check", machine.Name, _hosts.Address, "--dry-run", "--plan", "--accept", "assumed").Exited(0);
        Assert.StartsWith("YES: ", said.FirstLine);
        Assert.Contains("the VM was thrown away", said.Out);
        machine.AssertRunsAt(Side.Source);
    }

    [Theory]
    [InlineData("check", "STATE", "--dry-run")]
    [InlineData("check", "STATE", "PROFILE", "--dry-run")]
    [InlineData("agent", "--listen", "127.0.0.1:0")]
    [InlineData("agent", "--listen", "127.0.0.1:0", "--profile", "PROFILE")]
    public void Without_arm64_kvm_it_says_so_and_exits_2(params string[] command)
    {
        Assert.SkipWhen(System.Runtime.InteropServices.RuntimeInformation.OSArchitecture == System.Runtime.InteropServices.Architecture.Arm64, "this may be an arm64 KVM host");
        var said = _hosts.Source.Run([.. command.Select(w => w switch
        {
            "STATE" => Vmmigrate.Capture("6.12.neoverse-n1.all"),
            "PROFILE" => Measured("6.12.neoverse-n1"),
            _ => w,
        })]).Exited(2);
        Assert.Contains("this is not an arm64 KVM host", said.Error);
        Assert.Empty(said.Out);
        if (command[0] == "agent") Assert.Contains("--simulate", said.Error);
    }

    [Fact]
    public void An_agent_that_is_not_there_exits_3_and_a_destination_that_is_nothing_2()
    {
        _hosts.Source.Run("check", Vmmigrate.Capture("6.12.neoverse-n1.all"), "127.0.0.1:1", "--dry-run").Exited(3);
        _hosts.Source.Run("check", Vmmigrate.Capture("6.12.neoverse-n1.all"), "nowhere", "--dry-run").Exited(2);
    }

    [Fact]
    public void A_profile_of_this_host_and_a_simulated_one_exclude_each_other() =>
        Assert.Contains("--help", _hosts.Source.Run("agent", "--simulate", "--profile", "x").Exited(2).Error);

    private Ended Check(string source, params string[] more) => _hosts.Source.Run(["check", source, _hosts.Address, "--dry-run", "--json", .. more]);

    private static JsonDocument Parse(Ended said) => JsonDocument.Parse(said.Out);

    private static string? Text(JsonDocument document, string member) => document.RootElement.GetProperty(member).GetString();
}
