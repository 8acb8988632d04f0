using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Migrate.Model.Plans;
using Migrate.Service.Api;

namespace Migrate.Service.Hosting;

/// <summary>Puts the service together. Nothing is read from the environment or the working directory, and nothing is logged.</summary>
internal static class ServiceHost
{
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);
    private const double SlowestBytesPerSecond = 1024;
    private const int LargestHeaders = 16 << 10;
    private const int MostHeaders = 64;
    private const int LongestRequestLine = 4 << 10;

    /// <summary>The service, not yet started.</summary>
    /// <param name="listen">Where; port 0 takes any free one.</param>
    /// <param name="limits">Its bounds.</param>
    /// <param name="check">Answers a request; may raise a <see cref="Migrate.Model.Errors.MigrateException"/>.</param>
    /// <param name="errors">Where a bug in the service is reported.</param>
    public static WebApplication Build(IPEndPoint listen, ServiceLimits limits, Func<CheckRequest, CheckReport> check, TextWriter errors)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = Grace);
        builder.Services.AddRoutingCore();
        ApiDescription.AddTo(builder.Services);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = limits.Connections;
            kestrel.Limits.MaxConcurrentUpgradedConnections = 0;
            kestrel.Limits.MaxRequestBodySize = limits.BodyBytes;
            kestrel.Limits.MaxRequestHeadersTotalSize = LargestHeaders;
            kestrel.Limits.MaxRequestHeaderCount = MostHeaders;
            kestrel.Limits.MaxRequestLineSize = LongestRequestLine;
            kestrel.Limits.RequestHeadersTimeout = limits.Headers;
            kestrel.Limits.KeepAliveTimeout = KeepAlive;
            kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(SlowestBytesPerSecond, Grace);
            kestrel.Limits.MinResponseDataRate = new MinDataRate(SlowestBytesPerSecond, Grace);
            kestrel.Listen(listen, options => options.Protocols = HttpProtocols.Http1);
        });

        var app = builder.Build();
        app.Use(new Problems(errors).Guard);
        app.UseRouting();
        HealthEndpoint.MapTo(app);
        new CheckEndpoint(limits, check).MapTo(app);
        app.MapOpenApi(ApiDescription.Path);
        app.UseEndpoints(_ => { });
        return app;
    }

    /// <summary>The base address of a started service: <c>http://127.0.0.1:7471</c>.</summary>
    public static string AddressOf(WebApplication app) =>
        app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
}
