using System.Net;
using Migrate.Service.Api;
using Migrate.Service.Hosting;

namespace Migrate.Tests.Service;

public class LimitTests
{
    private static string Head(string headers) => $"POST {CheckEndpoint.Path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\n{headers}\r\n\r\n";

    [Fact]
    public async Task Refuses_a_claimed_length_beyond_the_limit_before_the_body_comes()
    {
        await using var service = await RunningService.Start();

        var answer = await service.Raw(Head($"Content-Length: {(16 << 20) + 1}"));

        Assert.StartsWith("HTTP/1.1 413 ", answer);
        Assert.Contains("\"too-large\"", answer);
    }

    [Fact]
    public async Task Refuses_a_body_without_length_that_grows_beyond_the_limit()
    {
        await using var service = await RunningService.Start(new ServiceLimits { BodyBytes = 1000 });

        var answer = await service.Raw(Head("Transfer-Encoding: chunked") + "400\r\n" + new string(' ', 0x400) + "\r\n0\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 413 ", answer);
    }

    [Fact]
    public async Task Gives_up_on_a_body_that_does_not_come()
    {
        await using var service = await RunningService.Start(new ServiceLimits { Body = TimeSpan.FromMilliseconds(100) });

        var answer = await service.Raw(Head("Content-Length: 100") + "{");

        Assert.StartsWith("HTTP/1.1 408 ", answer);
        Assert.Contains("\"timed-out\"", answer);
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/xml")]
    [InlineData("application/x-www-form-urlencoded")]
    public async Task Refuses_another_media_type(string mediaType)
    {
        await using var service = await RunningService.Start();

        using var response = await service.Post(Samples.GoodBody().ToJsonString(), mediaType);

        Assert.Equal("unsupported", (string)(await RunningService.Problem(response, HttpStatusCode.UnsupportedMediaType))["code"]!);
    }

    [Theory]
    [InlineData("Content-Type: application/json; charset=utf-16")]
    [InlineData("Content-Type: application/json\r\nContent-Encoding: gzip")]
    [InlineData("X-Nothing: 1")]
    public async Task Refuses_another_character_set_a_compressed_body_and_one_without_type(string header)
    {
        await using var service = await RunningService.Start();

        var answer = await service.Raw($"POST {CheckEndpoint.Path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{header}\r\nContent-Length: 2\r\n\r\n{{}}");

        Assert.StartsWith("HTTP/1.1 415 ", answer);
    }

    [Fact]
    public async Task One_check_too_many_is_told_to_come_again_and_the_others_are_answered()
    {
        var entered = new TaskCompletionSource();
        using var go = new ManualResetEventSlim();
        await using var service = await RunningService.Start(new ServiceLimits { InFlight = 1 }, request =>
        {
            entered.TrySetResult();
            go.Wait();
            return CheckEndpoint.Check(request);
        });
        var body = Samples.GoodBody().ToJsonString();

        var first = service.Post(body);
        await entered.Task;
        using (var second = await service.Post(body))
        {
            Assert.Equal("busy", (string)(await RunningService.Problem(second, HttpStatusCode.ServiceUnavailable))["code"]!);
            Assert.NotNull(second.Headers.RetryAfter);
        }
        using (var health = await service.Client.GetAsync(HealthEndpoint.Path, TestContext.Current.CancellationToken))
            Assert.Equal(HttpStatusCode.OK, health.StatusCode);
        go.Set();
        using var answered = await first;
        Assert.Equal(HttpStatusCode.OK, answered.StatusCode);
    }

    [Fact]
    public async Task A_check_that_takes_too_long_is_given_up_and_keeps_its_place()
    {
        using var go = new ManualResetEventSlim();
        await using var service = await RunningService.Start(new ServiceLimits { InFlight = 1, Work = TimeSpan.FromMilliseconds(50) }, request =>
        {
            go.Wait();
            return CheckEndpoint.Check(request);
        });
        var body = Samples.GoodBody().ToJsonString();

        using var first = await service.Post(body);
        using var second = await service.Post(body);

        Assert.Equal("timed-out", (string)(await RunningService.Problem(first, HttpStatusCode.ServiceUnavailable))["code"]!);
        Assert.Equal("busy", (string)(await RunningService.Problem(second, HttpStatusCode.ServiceUnavailable))["code"]!);
        go.Set();
    }

    [Fact]
    public async Task A_refused_check_gives_its_place_back()
    {
        await using var service = await RunningService.Start(new ServiceLimits { InFlight = 1, Body = TimeSpan.FromMilliseconds(100) });

        await service.Raw(Head("Content-Length: 100") + "{");
        using var response = await service.Post(Samples.GoodBody().ToJsonString());

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Theory]
    [InlineData("GET", "/", HttpStatusCode.NotFound, "not-found")]
    [InlineData("GET", "/v1/check", HttpStatusCode.MethodNotAllowed, "usage")]
    [InlineData("DELETE", "/health", HttpStatusCode.MethodNotAllowed, "usage")]
    public async Task Everything_else_is_told_where_to_look(string method, string path, HttpStatusCode status, string code)
    {
        await using var service = await RunningService.Start();

        using var response = await service.Client.SendAsync(new HttpRequestMessage(new HttpMethod(method), path), TestContext.Current.CancellationToken);

        var problem = await RunningService.Problem(response, status);
        Assert.Equal(code, (string)problem["code"]!);
        Assert.Contains(ApiDescription.Path, (string)problem["remedy"]!);
    }
}
