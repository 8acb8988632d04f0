using Migrate.ProcessTests.Harness;

namespace Migrate.ProcessTests;

/// <summary>The demo proves that the guest could not tell, and that its proof would notice.</summary>
public sealed class DemoTests : IDisposable
{
    private readonly Vmmigrate _host = new();

    public void Dispose() => _host.Dispose();

    [Fact]
    public void The_demo_moves_a_machine_and_the_guest_could_not_tell()
    {
        var demo = _host.Run("demo", "--memory", "128M").Exited(0);
        Assert.StartsWith("DONE: ", demo.Out.TrimEnd().Split('\n')[^1]);
        Assert.Empty(Directory.GetDirectories(_host.State, "vmmigrate-demo-*"));
    }

    [Theory]
    [InlineData("page")]
    [InlineData("register")]
    [InlineData("dirty-bit")]
    public void A_sabotage_is_caught_and_named(string sabotage)
    {
        var demo = _host.Run("demo", "--memory", "128M", "--sabotage", sabotage).Exited(4);
        Assert.Contains($"FAILED (sabotage: {sabotage})", demo.Out);
    }
}
