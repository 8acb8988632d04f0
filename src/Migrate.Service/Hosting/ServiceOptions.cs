using System.Globalization;
using System.Net;
using Migrate.Model.Errors;

namespace Migrate.Service.Hosting;

/// <summary>The command line of the service.</summary>
/// <param name="Listen">Where; port 0 takes any free one.</param>
/// <param name="EndWithStdin">Whether the end of standard input ends the service.</param>
internal sealed record ServiceOptions(IPEndPoint Listen, bool EndWithStdin)
{
    public const string Usage = "Usage: Migrate.Service [--listen HOST:PORT] [--insecure] [--end-with-stdin]";

    private static readonly IPEndPoint Default = new(IPAddress.Loopback, 7471);

    /// <exception cref="MigrateException"><see cref="ErrorCode.Usage"/>.</exception>
    public static ServiceOptions Parse(IReadOnlyList<string> args)
    {
        var listen = Default;
        var (insecure, endWithStdin) = (false, false);
        for (var i = 0; i < args.Count; i++)
        {
            switch (args[i])
            {
                case "--listen" when i + 1 < args.Count:
                    listen = EndPoint(args[++i]);
                    break;
                case "--listen":
                    throw Wrong("--listen needs HOST:PORT.");
                case "--insecure":
                    insecure = true;
                    break;
                case "--end-with-stdin":
                    endWithStdin = true;
                    break;
                default:
                    throw Wrong($"'{args[i]}' is no option of this service. {Usage}");
            }
        }
        if (!insecure && !IPAddress.IsLoopback(listen.Address))
        {
            throw new MigrateException(ErrorCode.Usage, $"{listen} can be reached by others, and there is neither encryption nor authentication yet.")
            {
                Remedy = "Listen on 127.0.0.1 and tunnel, or say --insecure.",
            };
        }
        return new ServiceOptions(listen, endWithStdin);
    }

    private static IPEndPoint EndPoint(string text)
    {
        var colon = text.LastIndexOf(':');
        if (colon > 0 && ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port))
        {
            var host = text[..colon];
            var bracketed = host.StartsWith('[') && host.EndsWith(']');
            if (host == "localhost") return new IPEndPoint(IPAddress.Loopback, port);
            if (IPAddress.TryParse(bracketed ? host[1..^1] : host, out var address) && bracketed == host.Contains(':')) return new IPEndPoint(address, port);
        }
        throw Wrong($"'{text}' is not HOST:PORT with an address or localhost as HOST, such as 127.0.0.1:7471 or [::1]:7471.");
    }

    private static MigrateException Wrong(string message) => new(ErrorCode.Usage, message) { Stage = Stage.Input };
}
