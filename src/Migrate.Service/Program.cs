using System.Net.Sockets;
using Migrate.Model.Errors;
using Migrate.Service.Api;
using Migrate.Service.Hosting;

namespace Migrate.Service;

/// <summary>The executable: <c>vmmigrate serve</c> starts it, and it can be started alone.</summary>
internal static class Program
{
    private const int Done = 0;
    private const int UsageError = 2;

    private static async Task<int> Main(string[] args)
    {
        try
        {
            if (args is ["--help"])
            {
                Console.Out.WriteLine(ServiceOptions.Usage);
                return Done;
            }
            await Serve(ServiceOptions.Parse(args));
            return Done;
        }
        catch (MigrateException e)
        {
            Console.Error.WriteLine($"Migrate.Service: {e.Message}{(e.Remedy is null ? "" : $" {e.Remedy}")}");
            return UsageError;
        }
    }

    private static async Task Serve(ServiceOptions options)
    {
        await using var app = ServiceHost.Build(options.Listen, new ServiceLimits(), CheckEndpoint.Check, Console.Error);
        try
        {
            await app.StartAsync();
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            throw new MigrateException(ErrorCode.System, $"cannot listen on {options.Listen}: {e.Message}", e);
        }
        Console.Error.WriteLine($"listening on {ServiceHost.AddressOf(app)}");
        if (options.EndWithStdin) StopWhenInputEnds(app.Lifetime);
        await app.WaitForShutdownAsync();
    }

    /// <summary>The parent holds the other end: when it dies, however it dies, the service ends with it.</summary>
    private static void StopWhenInputEnds(IHostApplicationLifetime lifetime)
    {
        var input = Console.OpenStandardInput();
        var watcher = new Thread(() =>
        {
            Span<byte> ignored = stackalloc byte[256];
            while (input.Read(ignored) > 0) { }
            lifetime.StopApplication();
        })
        { IsBackground = true, Name = "end-with-stdin" };
        watcher.Start();
    }
}
