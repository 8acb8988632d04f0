using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Migrate.ProcessTests.Harness;

namespace Migrate.ProcessTests;

/// <summary>The pre-flight API as the command line starts it.</summary>
public sealed class ServeTests : IDisposable
{
    private readonly Vmmigrate _host = new();

    public void Dispose() => _host.Dispose();

    [Theory]
    [InlineData("6.12-neoverse-n1", "7.2-neoverse-n1", "yes")]
    [InlineData("7.2-neoverse-n1", "6.12-neoverse-n1", "no")]
    public async Task A_check_is_answered_as_the_command_line_answers_it_and_a_signal_ends_the_service(string source, string destination, string verdict)
    {
        var serve = _host.Start("serve", "--listen", "127.0.0.1:0", "--end-with-stdin");
        var address = new Uri(serve.WaitFor("listening on").Split(' ')[^1]);
        using var client = new HttpClient { BaseAddress = address };
        var body = $$"""{"source": {{Profile(source)}}, "destination": {{Profile(destination)}}}""";
        using var content = new StringContent(body, Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
        using var answer = await client.PostAsync("/v1/check", content, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        using var report = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal(verdict, report.RootElement.GetProperty("verdict").GetString());

        using var nonsense = new StringContent("{", Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
        using var refused = await client.PostAsync("/v1/check", nonsense, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);

        serve.Terminate();
        serve.Wait().Exited(0);
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync("/health", TestContext.Current.CancellationToken));
    }

    private string Profile(string name) =>
        _host.Run("show", Path.Combine(Vmmigrate.Root, "examples", "hosts", name + ".profile"), "--json").Exited(0).Out;
}
