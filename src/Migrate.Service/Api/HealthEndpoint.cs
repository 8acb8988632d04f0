using System.Reflection;
using Migrate.Model.Encoding;

namespace Migrate.Service.Api;

/// <summary>What <c>GET /health</c> answers.</summary>
internal sealed record Health(string Status, string Version)
{
    public static Shape<Health> Shape { get; } = Declare();

    private static Shape<Health> Declare()
    {
        var record = new RecordShape<Health>("Health", "That the service is up, and which it is.");
        var status = record.Required("status", Shapes.TextUpTo(16), h => h.Status, "'ok'.");
        var version = record.Required("version", Shapes.TextUpTo(128), h => h.Version, "The version and commit of vmmigrate.");
        return record.Build(v => new Health(v.Get(status), v.Get(version)));
    }
}

/// <summary><c>GET /health</c>.</summary>
internal static class HealthEndpoint
{
    public const string Path = "/health";

    public static string Version { get; } =
        typeof(HealthEndpoint).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;

    public static void MapTo(IEndpointRouteBuilder routes) =>
        routes.MapGet(Path, IResult () => JsonBytes.Of(Health.Shape, new Health("ok", Version))).WithName("health").WithTags("service");
}
