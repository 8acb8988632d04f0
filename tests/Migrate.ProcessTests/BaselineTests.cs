using System.Text.Json;
using Migrate.ProcessTests.Harness;

namespace Migrate.ProcessTests;

/// <summary>A baseline as an operator uses it: found from measured hosts, and the VMs that are created with it move.</summary>
public sealed class BaselineTests : IDisposable
{
    private readonly TwoHosts _two = new();

    public void Dispose() => _two.Dispose();

    private static string Host(string recording) => Path.Combine(Vmmigrate.Root, "tests", "Data", "lab", recording, "probe.profile");

    [Fact]
    public void A_vm_of_the_baseline_moves_where_the_same_vm_without_it_is_refused()
    {
        var (newer, older) = (Host("7.2.neoverse-n1"), Host("6.1.neoverse-n1"));
        var config = Path.Combine(_two.Source.State, "vm.json");
        var found = _two.Source.Run("baseline", newer, older, Host("6.12.neoverse-n1"), "-o", config).Exited(0);
        Assert.StartsWith("YES: one baseline for 3 hosts", found.FirstLine);
        _two.StartAgent(more: [older]);
        using (var without = _two.StartMachine(null, "--simulate", newer, "--features", "psci_0_2,pmu_v3"))
        {
            Assert.Contains("ID_AA64DFR0_EL1.DebugVer", without.Send().Exited(1).Out);
            without.AssertRunsAt(Side.Source);
        }
        using var machine = _two.StartMachine(null, "--simulate", newer, "--config", config);
        machine.Send(null, "--verify").Exited(0);
        machine.AssertRunsAt(Side.Destination);
    }

    [Fact]
    public void Hosts_that_cannot_share_a_baseline_exit_1_with_the_proof_and_a_file_a_pool()
    {
        var config = Path.Combine(_two.Source.State, "vm.json");
        var asked = _two.Source.Run("baseline", Host("7.2.neoverse-n1"), Host("7.2.max"), "-o", config, "--json").Exited(1);
        using var report = JsonDocument.Parse(asked.Out);
        Assert.Equal("vmmigrate/baseline/1", report.RootElement.GetProperty("schema").GetString());
        Assert.Equal(2, report.RootElement.GetProperty("pools").GetArrayLength());
        Assert.NotEqual(0, report.RootElement.GetProperty("proofs").GetArrayLength());
        Assert.False(File.Exists(config));
        foreach (var pool in new[] { "vm.1.json", "vm.2.json" })
            Assert.Contains("VM configuration", _two.Source.Run("convert", Path.Combine(_two.Source.State, pool), "-o", Path.Combine(_two.Source.State, "again.json")).Exited(0).Error);
    }

    [Fact]
    public void What_rests_on_captures_exits_6_until_assumptions_are_accepted_and_what_is_no_host_exits_2()
    {
        string[] captures = [Vmmigrate.Capture("6.12.neoverse-n1.min"), Vmmigrate.Capture("7.2.neoverse-n1.min")];
        _two.Source.Run(["baseline", .. captures]).Exited(6);
        _two.Source.Run(["baseline", .. captures, "--accept", "assumed"]).Exited(0);
        _two.Source.Run("baseline", Path.Combine(Vmmigrate.Root, "README.md")).Exited(2);
        Assert.Contains("--incoming", _two.Source.Run("run", "--simulate", "--incoming", "--config", captures[0]).Exited(2).Error);
    }
}
