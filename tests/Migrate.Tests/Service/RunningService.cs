using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Migrate.Model.Plans;
using Migrate.Service.Api;
using Migrate.Service.Hosting;

namespace Migrate.Tests.Service;

/// <summary>The whole service on a port of the loopback interface, and a client.</summary>
internal sealed class RunningService : IAsyncDisposable
{
    private readonly WebApplication _app;

    private RunningService(WebApplication app, StringWriter errors)
    {
        _app = app;
        Errors = errors;
        Address = new Uri(ServiceHost.AddressOf(app));
        Client = new HttpClient { BaseAddress = Address };
    }

    public Uri Address { get; }

    public HttpClient Client { get; }

    /// <summary>What the service reported about itself.</summary>
    public StringWriter Errors { get; }

    public static async Task<RunningService> Start(ServiceLimits? limits = null, Func<CheckRequest, CheckReport>? check = null)
    {
        var errors = new StringWriter();
        var app = ServiceHost.Build(new IPEndPoint(IPAddress.Loopback, 0), limits ?? new ServiceLimits(), check ?? CheckEndpoint.Check, errors);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new RunningService(app, errors);
    }

    public Task<HttpResponseMessage> Post(string body, string mediaType = "application/json") =>
        Client.PostAsync(CheckEndpoint.Path, new StringContent(body, Encoding.UTF8, mediaType), TestContext.Current.CancellationToken);

    /// <summary>Sends bytes as they are and returns all that comes back until the service closes.</summary>
    public async Task<string> Raw(string request)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(Address.Host, Address.Port, TestContext.Current.CancellationToken);
        var stream = socket.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request), TestContext.Current.CancellationToken);
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>The refusal as the service describes it, after checking what all refusals have in common.</summary>
    public static async Task<JsonNode> Problem(HttpResponseMessage response, HttpStatusCode status)
    {
        var text = await Text(response);
        Assert.True(status == response.StatusCode, $"{response.StatusCode}: {text}");
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.ToString());
        var problem = JsonNode.Parse(text)!;
        Assert.Equal((int)status, (int)problem["status"]!);
        Assert.NotEmpty((string)problem["detail"]!);
        return problem;
    }

    public static Task<string> Text(HttpResponseMessage response) => response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }
}
