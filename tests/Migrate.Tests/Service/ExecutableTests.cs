using System.Diagnostics;
using System.Net;
using Migrate.Service.Api;

namespace Migrate.Tests.Service;

/// <summary>The service as the process that <c>vmmigrate serve</c> starts.</summary>
public class ExecutableTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static Process Start(params string[] arguments) => Process.Start(
        new ProcessStartInfo("dotnet", [typeof(CheckEndpoint).Assembly.Location, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;

    private static async Task<Uri> Address(Process process)
    {
        var line = await process.StandardError.ReadLineAsync(Cancellation);
        const string ready = "listening on ";
        Assert.StartsWith(ready + "http://127.0.0.1:", line);
        return new Uri(line![ready.Length..]);
    }

    private static async Task AssertEndsQuietly(Process process)
    {
        Assert.Equal("", await process.StandardOutput.ReadToEndAsync(Cancellation));
        Assert.Equal("", await process.StandardError.ReadToEndAsync(Cancellation));
        await process.WaitForExitAsync(Cancellation);
        Assert.Equal(0, process.ExitCode);
    }

    [Fact]
    public async Task Says_where_it_listens_answers_there_and_ends_with_its_input()
    {
        using var process = Start("--listen", "127.0.0.1:0", "--end-with-stdin");
        using var client = new HttpClient { BaseAddress = await Address(process) };

        using (var response = await client.GetAsync(HealthEndpoint.Path, Cancellation)) Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        process.StandardInput.Close();

        await AssertEndsQuietly(process);
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task Ends_when_told_to(string signal)
    {
        using var process = Start("--listen", "127.0.0.1:0");
        await Address(process);

        using (var kill = Process.Start("kill", [$"-{signal}", $"{process.Id}"])) await kill.WaitForExitAsync(Cancellation);

        await AssertEndsQuietly(process);
    }

    [Fact]
    public async Task Refuses_an_address_that_others_reach_in_one_line()
    {
        using var process = Start("--listen", "0.0.0.0:0");

        var errors = await process.StandardError.ReadToEndAsync(Cancellation);
        await process.WaitForExitAsync(Cancellation);

        Assert.Equal(2, process.ExitCode);
        Assert.Single(errors.TrimEnd().Split('\n'));
        Assert.Contains("--insecure", errors);
    }

    [Fact]
    public async Task Refuses_a_port_that_is_taken_in_one_line()
    {
        await using var other = await RunningService.Start();
        using var process = Start("--listen", $"127.0.0.1:{other.Address.Port}");

        var errors = await process.StandardError.ReadToEndAsync(Cancellation);
        await process.WaitForExitAsync(Cancellation);

        Assert.Equal(2, process.ExitCode);
        Assert.Single(errors.TrimEnd().Split('\n'));
        Assert.Contains($"127.0.0.1:{other.Address.Port}", errors);
    }
}
