using Migrate.Cli.Sources;
using Migrate.Model.Errors;

namespace Migrate.Tests.Cli;

public class EndpointTests
{
    [Theory]
    [InlineData("127.0.0.1:7470", "127.0.0.1", 7470)]
    [InlineData("[::1]:7470", "::1", 7470)]
    [InlineData("host.example:1", "host.example", 1)]
    public void Host_and_port_round_trip(string text, string host, int port)
    {
        Assert.True(Endpoint.TryParse(text, out var endpoint));
        Assert.Equal((host, port, text), (endpoint.Host, endpoint.Port, endpoint.ToString()));
    }

    [Theory]
    [InlineData("host")]
    [InlineData(":80")]
    [InlineData("host:")]
    [InlineData("host:65536")]
    [InlineData("host:-1")]
    [InlineData("./file:80")]
    public void Anything_else_is_no_endpoint(string text) => Assert.False(Endpoint.TryParse(text, out _));

    [Theory]
    [InlineData("127.0.0.1:1", true)]
    [InlineData("localhost:1", true)]
    [InlineData("[::1]:1", true)]
    [InlineData("0.0.0.0:1", false)]
    [InlineData("10.0.0.1:1", false)]
    [InlineData("[::]:1", false)]
    public void Only_loopback_needs_no_insecure(string text, bool loopback)
    {
        var endpoint = Endpoint.Parse(text);
        if (loopback) Assert.Equal(endpoint, endpoint.RequireLoopback(insecure: false));
        else Assert.Contains("--insecure", Assert.Throws<MigrateException>(() => endpoint.RequireLoopback(insecure: false)).Remedy);
        Assert.Equal(endpoint, endpoint.RequireLoopback(insecure: true));
    }

    [Theory]
    [InlineData("web-1.example_2", true)]
    [InlineData("", false)]
    [InlineData(".hidden", false)]
    [InlineData("a/b", false)]
    [InlineData("a b", false)]
    public void A_machines_name_is_never_a_path(string name, bool valid) => Assert.Equal(valid, StateDirectory.IsName(name));
}
