using System.Diagnostics;
using System.Text.Json.Nodes;
using Migrate.Model.Encoding;

namespace Migrate.Tests.Model.Encoding;

/// <summary>The committed schemas are what the shapes say, and a validator that is not ours agrees with our reader about examples and broken ones.</summary>
public class JsonSchemaTests
{
    private const string UpdateVariable = "VMMIGRATE_UPDATE_SCHEMAS";
    private const string Python = "/usr/bin/python3";

    /// <summary>Reads lines of JSON with a schema file's name and a document each; answers a line each: ok, or the first error.</summary>
    private const string Validator = """
        import json, sys
        from jsonschema import Draft202012Validator
        validators = {}
        for line in sys.stdin:
            request = json.loads(line)
            name = request["schema"]
            if name not in validators:
                schema = json.load(open(name))
                Draft202012Validator.check_schema(schema)
                validators[name] = Draft202012Validator(schema)
            error = next(validators[name].iter_errors(request["document"]), None)
            print("ok" if error is None else "refused: " + repr(error.message)[:200])
        """;

    private static readonly (string File, string Case, Func<string> Schema)[] Schemas =
    [
        ("machine-state", "MachineState", Documents.MachineState.ToJsonSchema),
        ("host-profile", "HostProfile", Documents.HostProfile.ToJsonSchema),
        ("restore-plan", "RestorePlan", Documents.RestorePlan.ToJsonSchema),
        ("check-report", "CheckReport", Documents.CheckReport.ToJsonSchema),
        ("matrix", "MatrixReport", Documents.Matrix.ToJsonSchema),
        ("explanation", "Explanation", Documents.Explanation.ToJsonSchema),
        ("vm-config", "VmConfig", Documents.VmConfig.ToJsonSchema),
        ("baseline", "BaselineReport", Documents.Baseline.ToJsonSchema),
    ];

    [Fact]
    public void The_committed_schemas_are_those_of_the_shapes()
    {
        foreach (var (file, _, schema) in Schemas)
        {
            var path = PathOf(file);
            if (Environment.GetEnvironmentVariable(UpdateVariable) == "1") File.WriteAllText(path, schema());
            Assert.True(File.Exists(path) && File.ReadAllText(path) == schema(),
                $"schemas/{file}.schema.json differs from its shape; run this test with {UpdateVariable}=1 to write it, and read the difference");
        }
    }

    [Fact]
    public void Every_member_of_every_type_is_described()
    {
        foreach (var (file, _, schema) in Schemas)
        {
            var root = JsonNode.Parse(schema())!;
            var types = root["$defs"]!.AsObject().Select(d => d.Value!).Prepend(root);
            foreach (var type in types)
            {
                Assert.False(string.IsNullOrWhiteSpace((string?)type["description"]), file);
                foreach (var (name, member) in type["properties"]?.AsObject() ?? [])
                    Assert.True(name == "kind" || member!["description"] is not null, $"{file}: {name}");
            }
        }
    }

    [Fact]
    public void A_validator_that_is_not_ours_accepts_what_we_write_and_refuses_what_we_refuse()
    {
        var (requests, expected) = (new List<string>(), new List<bool>());
        foreach (var (file, name, _) in Schemas)
        {
            for (var seed = 0; seed < 10; seed++)
            {
                var document = System.Text.Encoding.UTF8.GetString(DocumentCase.Of(name).Encode(seed, DocumentEncoding.Json));
                Add(file, JsonNode.Parse(document)!, true);
                foreach (var broken in Broken(document))
                {
                    Assert.ThrowsAny<Migrate.Model.Errors.MigrateException>(
                        () => DocumentCase.Of(name).Decode(System.Text.Encoding.UTF8.GetBytes(broken.ToJsonString()), DocumentEncoding.Json));
                    Add(file, broken, false);
                }
            }
        }
        var answers = Validate(requests);
        Assert.Equal(requests.Count, answers.Length);
        for (var i = 0; i < answers.Length; i++)
            Assert.True(expected[i] ? answers[i] == "ok" : answers[i].StartsWith("refused", StringComparison.Ordinal), $"{answers[i]} for {requests[i]}");

        void Add(string file, JsonNode document, bool isValid)
        {
            requests.Add(new JsonObject { ["schema"] = PathOf(file), ["document"] = document }.ToJsonString());
            expected.Add(isValid);
        }
    }

    /// <summary>The document with one thing wrong, for every member at its top and for every kind of wrong.</summary>
    private static IEnumerable<JsonNode> Broken(string document)
    {
        var members = JsonNode.Parse(document)!.AsObject().Select(m => m.Key).ToArray();
        foreach (var member in members)
        {
            var wrongType = JsonNode.Parse(document)!;
            wrongType[member] = wrongType[member] is JsonArray ? new JsonObject() : new JsonArray(new JsonArray());
            yield return wrongType;
        }
        var unknown = JsonNode.Parse(document)!;
        unknown["unknownMember"] = 1;
        yield return unknown;
        var missing = JsonNode.Parse(document)!.AsObject();
        string[] required = ["vm", "boot", "verdict", "hosts", "subject", "features"];
        missing.Remove(required.First(missing.ContainsKey));
        yield return missing;
        var version = JsonNode.Parse(document)!;
        version["schema"] = "vmmigrate/teapot/1";
        yield return version;
    }

    private static string[] Validate(List<string> requests)
    {
        var start = new ProcessStartInfo(Python, ["-c", Validator])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (!File.Exists(Python)) Absent($"{Python} is not installed");
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        try
        {
            foreach (var request in requests) process.StandardInput.WriteLine(request);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended early; its own words are below.
        }
        process.WaitForExit();
        if (process.ExitCode != 0 && errors.Result.Contains("No module named 'jsonschema'")) Absent("Debian's python3-jsonschema is not installed");
        Assert.True(process.ExitCode == 0, errors.Result);
        return output.Result.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static void Absent(string reason)
    {
        if (Environment.GetEnvironmentVariable("CI") == "true") Assert.Fail(reason);
        Assert.Skip(reason);
    }

    private static string PathOf(string file) => Path.Combine(Repository.Root, "schemas", $"{file}.schema.json");
}
