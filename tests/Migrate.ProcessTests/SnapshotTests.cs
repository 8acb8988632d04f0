using System.Text.Json;
using Migrate.ProcessTests.Harness;

namespace Migrate.ProcessTests;

/// <summary>A snapshot from create to restore, and what refuses a damaged one.</summary>
public sealed class SnapshotTests : IDisposable
{
    private readonly Vmmigrate _host = new();

    private string Store => Path.Combine(_host.State, "snapshots");

    public void Dispose() => _host.Dispose();

    [Fact]
    public void A_snapshot_is_listed_verified_shown_checked_and_restored_and_the_program_goes_on_from_it()
    {
        var machine = _host.StartMachine("vm");
        var file = Create();
        var taken = Watch.Steps(Assert.Single(_host.Ask()));
        Assert.Contains("one", _host.Run("snapshot", "list", Store).Exited(0).Out);
        Assert.Contains("whole", _host.Run("snapshot", "verify", file).Exited(0).Out);
        using (var shown = JsonDocument.Parse(_host.Run("show", file, "--json").Exited(0).Out)) Assert.Equal("vm", shown.RootElement.GetProperty("machine").GetString());
        var profile = Path.Combine(Vmmigrate.Root, "examples", "hosts", "6.12-neoverse-n1.profile");
        _host.Run("check", file, profile, "--accept", "assumed").Exited(0);

        var id = Assert.Single(_host.Ask()).VmId;
        machine.Kill();
        _host.Run("snapshot", "restore", file, "--simulate", "--accept", "assumed").Exited(0);
        var restored = Assert.Single(_host.Ask());
        Assert.Equal(id, restored.VmId);
        // From where it was, and not from the beginning: the machine had run before it was asked for its steps.
        Assert.True(Watch.Executes(restored));
        Assert.InRange(Watch.Steps(restored), 1UL, ulong.MaxValue);
        while (Watch.Steps(Assert.Single(_host.Ask())) <= taken) Thread.Sleep(5);
    }

    [Theory]
    [InlineData(0.1)]
    [InlineData(0.5)]
    [InlineData(0.99)]
    public void A_flipped_bit_is_refused_by_verify_and_restore_which_starts_nothing(double where)
    {
        var machine = _host.StartMachine("vm");
        var file = Create();
        machine.Kill();
        using (var damaged = new FileStream(file, FileMode.Open, FileAccess.ReadWrite))
        {
            damaged.Position = (long)(damaged.Length * where);
            var value = damaged.ReadByte();
            damaged.Position--;
            damaged.WriteByte((byte)(value ^ 1));
        }
        _host.Run("snapshot", "verify", file).Exited(2);
        _host.Run("snapshot", "restore", file, "--simulate", "--accept", "assumed").Exited(2);
        Assert.DoesNotContain(_host.Ask(), Watch.Executes);
    }

    [Fact]
    public void A_snapshot_does_not_restore_on_a_host_that_refuses_it()
    {
        _host.StartMachine("vm", null, "--simulate", "7.2-neoverse-n1").WaitFor("machine vm");
        var file = Create();
        var refused = _host.Run("snapshot", "restore", file, "--simulate", "6.12-neoverse-n1").Exited(1);
        Assert.StartsWith("NO: ", refused.FirstLine);
    }

    private string Create() => _host.Run("snapshot", "create", "vm", Store, "--name", "one").Exited(0).FirstLine;
}
