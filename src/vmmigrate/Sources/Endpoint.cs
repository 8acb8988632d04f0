using System.Net;
using Migrate.Model.Errors;

namespace Migrate.Cli.Sources;

/// <summary>HOST:PORT on the command line.</summary>
internal readonly record struct Endpoint(string Host, int Port)
{
    public static bool TryParse(string text, out Endpoint endpoint)
    {
        endpoint = default;
        var colon = text.LastIndexOf(':');
        if (colon <= 0 || text.Contains('/')) return false;
        if (!int.TryParse(text.AsSpan(colon + 1), out var port) || port is < 0 or > 65535) return false;
        var host = text[..colon];
        if (host.StartsWith('[') && host.EndsWith(']')) host = host[1..^1];
        if (host.Length == 0) return false;
        endpoint = new Endpoint(host, port);
        return true;
    }

    public static Endpoint Parse(string text) => TryParse(text, out var endpoint)
        ? endpoint : throw new MigrateException(ErrorCode.Usage, $"'{text}' is not HOST:PORT");

    /// <summary>Whether nobody else can reach it.</summary>
    public bool IsLoopback => Host is "localhost" || (IPAddress.TryParse(Host, out var address) && IPAddress.IsLoopback(address));

    /// <summary>Refuses an address that others can reach unless the operator says so: there is no TLS yet.</summary>
    public Endpoint RequireLoopback(bool insecure) => insecure || IsLoopback
        ? this
        : throw new MigrateException(ErrorCode.Usage, $"{this} can be reached by others, and there is neither encryption nor authentication yet")
        { Remedy = "Listen on 127.0.0.1 and tunnel, or say --insecure." };

    /// <summary>The address to bind.</summary>
    public IPEndPoint Resolve()
    {
        if (IPAddress.TryParse(Host, out var address)) return new IPEndPoint(address, Port);
        if (Host is "localhost") return new IPEndPoint(IPAddress.Loopback, Port);
        throw new MigrateException(ErrorCode.Usage, $"'{Host}' is not an address of this host; give it in numbers");
    }

    public override string ToString() => Host.Contains(':') ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}
