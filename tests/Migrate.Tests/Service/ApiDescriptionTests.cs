using System.Text.Json.Nodes;
using Migrate.Model.Encoding;
using Migrate.Service.Api;

namespace Migrate.Tests.Service;

public class ApiDescriptionTests
{
    private static string CommittedPath => Path.Combine(Repository.Root, "schemas", "openapi.json");

    private static async Task<string> Served()
    {
        await using var service = await RunningService.Start();
        return await service.Client.GetStringAsync(ApiDescription.Path, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task The_committed_description_is_the_one_that_is_served()
    {
        var committed = File.Exists(CommittedPath) ? File.ReadAllText(CommittedPath) : "";

        Assert.True(
            committed == await Served() + "\n",
            $"schemas/openapi.json is not in step: start Migrate.Service and save what GET {ApiDescription.Path} answers, with a newline at its end");
    }

    [Fact]
    public async Task Every_schema_of_the_shapes_is_in_it_unchanged()
    {
        var schemas = new JsonSchemas();
        schemas.Describe(CheckRequest.Shape);
        schemas.Describe(Documents.CheckReport);
        schemas.Describe(Problem.Shape);
        schemas.Describe(Health.Shape);
        var wanted = JsonNode.Parse(schemas.Definitions().ToJsonString().Replace("#/$defs/", "#/components/schemas/"))!;

        var served = JsonNode.Parse(await Served())!["components"]!["schemas"]!;

        Assert.NotEmpty(wanted.AsObject());
        Assert.Equal(wanted.AsObject().Select(s => s.Key), served.AsObject().Select(s => s.Key).Order(StringComparer.Ordinal));
        foreach (var (name, schema) in wanted.AsObject())
        {
            // An empty list says nothing, and the description leaves it out.
            if (schema!["required"] is JsonArray { Count: 0 }) schema.AsObject().Remove("required");
            Assert.True(JsonNode.DeepEquals(schema, served[name]), $"{name}: {schema.ToJsonString()} became {served[name]!.ToJsonString()}");
        }
    }

    [Fact]
    public async Task Every_reference_leads_somewhere()
    {
        var document = JsonNode.Parse(await Served())!;
        var references = References(document).ToArray();

        Assert.NotEmpty(references);
        foreach (var reference in references)
        {
            var node = document;
            foreach (var step in reference.TrimStart('#').Split('/', StringSplitOptions.RemoveEmptyEntries)) node = node?[step];
            Assert.True(node is not null, $"{reference} leads nowhere");
        }
    }

    private static IEnumerable<string> References(JsonNode? node) => node switch
    {
        JsonObject map => map.SelectMany(m => m.Key == "$ref" ? [(string)m.Value!] : References(m.Value)),
        JsonArray list => list.SelectMany(References),
        _ => [],
    };
}
