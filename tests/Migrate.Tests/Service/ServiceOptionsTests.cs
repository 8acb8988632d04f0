using Migrate.Model.Errors;
using Migrate.Service.Hosting;

namespace Migrate.Tests.Service;

public class ServiceOptionsTests
{
    private static ServiceOptions Parse(string line) => ServiceOptions.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));

    [Theory]
    [InlineData("", "127.0.0.1:7471")]
    [InlineData("--listen 127.0.0.1:0", "127.0.0.1:0")]
    [InlineData("--listen localhost:80", "127.0.0.1:80")]
    [InlineData("--listen [::1]:7471 --end-with-stdin", "[::1]:7471")]
    [InlineData("--insecure --listen 0.0.0.0:7471", "0.0.0.0:7471")]
    [InlineData("--listen [::]:7471 --insecure", "[::]:7471")]
    public void Listens_where_it_is_told(string line, string address)
    {
        var options = Parse(line);

        Assert.Equal(address, options.Listen.ToString());
        Assert.Equal(line.Contains("stdin"), options.EndWithStdin);
    }

    [Theory]
    [InlineData("--listen 0.0.0.0:7471")]
    [InlineData("--listen [::]:7471")]
    [InlineData("--listen 192.0.2.1:7471 --end-with-stdin")]
    public void Refuses_an_address_that_others_reach_unless_told_insecure(string line)
    {
        var refused = Assert.Throws<MigrateException>(() => Parse(line));

        Assert.Equal(ErrorCode.Usage, refused.Code);
        Assert.Contains("--insecure", refused.Remedy);
    }

    [Theory]
    [InlineData("--listen")]
    [InlineData("--listen 7471")]
    [InlineData("--listen :7471")]
    [InlineData("--listen 127.0.0.1:65536")]
    [InlineData("--listen 127.0.0.1:-1")]
    [InlineData("--listen ::1:7471")]
    [InlineData("--listen host.invalid:7471")]
    [InlineData("--port 1")]
    [InlineData("127.0.0.1:7471")]
    public void Refuses_what_it_does_not_understand(string line) => Assert.Equal(ErrorCode.Usage, Assert.Throws<MigrateException>(() => Parse(line)).Code);
}
