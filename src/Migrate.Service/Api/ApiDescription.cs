using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using Microsoft.OpenApi.Reader;
using Migrate.Model.Encoding;

namespace Migrate.Service.Api;

/// <summary>The OpenAPI description. Its schemas are those of the shapes that read and write the bodies.</summary>
internal static class ApiDescription
{
    public const string Path = "/openapi/v1.json";

    private const string Definitions = "#/$defs/";
    private const string Components = "#/components/schemas/";

    public static void AddTo(IServiceCollection services) => services.AddOpenApi("v1", options =>
    {
        options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
        options.AddDocumentTransformer((document, _, _) =>
        {
            Complete(document);
            return Task.CompletedTask;
        });
    });

    private static void Complete(OpenApiDocument document)
    {
        document.Info = new OpenApiInfo
        {
            Title = "vmmigrate pre-flight",
            Version = "1",
            Description = "Says before a move whether a virtual machine will survive it, why not, and what to do.",
        };
        // The address depends on where the service was started.
        document.Servers = null;

        var schemas = new JsonSchemas();
        var request = schemas.Describe(CheckRequest.Shape);
        var report = schemas.Describe(Documents.CheckReport);
        var problem = schemas.Describe(Problem.Shape);
        var health = schemas.Describe(Health.Shape);
        document.Components = new OpenApiComponents { Schemas = new Dictionary<string, IOpenApiSchema>() };
        foreach (var (name, schema) in schemas.Definitions()) document.Components.Schemas[name] = Parse(schema!.AsObject(), document);

        var check = Operation(document, CheckEndpoint.Path, HttpMethod.Post);
        check.Summary = "Will this machine survive that host?";
        check.Description = "The report is that of `vmmigrate check --json`. The answer is 200 whatever the verdict.";
        check.RequestBody = new OpenApiRequestBody { Required = true, Content = Content(JsonBytes.MediaType, request, document) };
        check.Responses = new OpenApiResponses
        {
            ["200"] = Response("The report.", JsonBytes.MediaType, report, document),
            ["400"] = Response("The body is not what it should be; the detail gives path, reason and byte.", Problem.MediaType, problem, document),
            ["408"] = Response("The body came too slowly.", Problem.MediaType, problem, document),
            ["413"] = Response("The body, or a list in it, is too large.", Problem.MediaType, problem, document),
            ["415"] = Response("The body is not JSON in UTF-8.", Problem.MediaType, problem, document),
            ["422"] = Response("A document of a kind or version that this service does not read, or a source that has no default VM.", Problem.MediaType, problem, document),
            ["503"] = Response("Too many checks are in flight, or this one took too long.", Problem.MediaType, problem, document),
        };

        var up = Operation(document, HealthEndpoint.Path, HttpMethod.Get);
        up.Summary = "Whether the service is up.";
        up.Responses = new OpenApiResponses { ["200"] = Response("It is.", JsonBytes.MediaType, health, document) };
    }

    private static OpenApiOperation Operation(OpenApiDocument document, string path, HttpMethod method) => document.Paths[path].Operations![method];

    private static OpenApiResponse Response(string description, string mediaType, JsonObject schema, OpenApiDocument document) =>
        new() { Description = description, Content = Content(mediaType, schema, document) };

    private static Dictionary<string, OpenApiMediaType> Content(string mediaType, JsonObject schema, OpenApiDocument document) =>
        new() { [mediaType] = new OpenApiMediaType { Schema = Parse(schema, document) } };

    private static IOpenApiSchema Parse(JsonObject schema, OpenApiDocument document)
    {
        if ((string?)schema["$ref"] is { } reference) return new OpenApiSchemaReference(reference[Definitions.Length..], document);
        var text = schema.ToJsonString().Replace($"\"{Definitions}", $"\"{Components}", StringComparison.Ordinal);
        var parsed = OpenApiModelFactory.Parse<OpenApiSchema>(text, OpenApiSpecVersion.OpenApi3_1, document, out var diagnostic, "json");
        return parsed is null || diagnostic.Errors.Count > 0
            ? throw new InvalidOperationException($"a schema cannot be described: {string.Join("; ", diagnostic.Errors)}")
            : parsed;
    }
}
