using System.Net;
using System.Text.Json.Nodes;
using Migrate.Model;
using Migrate.Model.Encoding;
using Migrate.Model.Errors;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Preflight;
using Migrate.Service.Api;

namespace Migrate.Tests.Service;

public class CheckTests
{
    [Theory]
    [InlineData(false, Policy.Vmmigrate)]
    [InlineData(true, Policy.Strict)]
    public async Task A_state_is_answered_with_the_report_of_the_library(bool plan, Policy policy)
    {
        await using var service = await RunningService.Start();
        var body = Samples.GoodBody();
        body["plan"] = plan;
        body["policy"] = KebabCase.Of(policy.ToString());

        using var response = await service.Post(body.ToJsonString());

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("application/json", response.Content.Headers.ContentType!.ToString());
        var wanted = Planner.Plan(Samples.State, Samples.Host, new PlanOptions { Policy = policy });
        Assert.Equal(
            JsonEncoding.Encode(Documents.CheckReport, Reports.Of(wanted, Samples.State, Samples.Host, plan)),
            await RunningService.Text(response));
    }

    [Fact]
    public async Task A_host_profile_as_source_stands_for_its_default_machine()
    {
        await using var service = await RunningService.Start();
        var body = Samples.Body(Samples.Json(Documents.HostProfile, Samples.Host), Samples.Json(Documents.HostProfile, Samples.Host));
        body["features"] = "psci_0_2";

        using var response = await service.Post(body.ToJsonString());

        var state = DefaultMachine.Of(Samples.Host, VcpuFeatures.Psci02);
        var wanted = Planner.Plan(state, Samples.Host, new PlanOptions(), Samples.Host);
        Assert.Equal(JsonEncoding.Encode(Documents.CheckReport, Reports.Of(wanted, state, Samples.Host, false)), await RunningService.Text(response));
    }

    [Fact]
    public async Task Accepted_words_reach_the_planner()
    {
        CheckRequest? seen = null;
        await using var service = await RunningService.Start(check: request =>
        {
            seen = request;
            return CheckEndpoint.Check(request);
        });
        var body = Samples.GoodBody();
        body["accept"] = new JsonArray("silently-changed", "assumed");

        using var response = await service.Post(body.ToJsonString());

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal([FindingCode.SilentlyChanged], seen!.AcceptedCodes);
        Assert.Contains(CheckRequest.Assumed, seen.Accept);
    }

    public static TheoryData<string, HttpStatusCode, string, string> Refusals
    {
        get
        {
            var state = Samples.Json(Documents.MachineState, Samples.State).ToJsonString();
            var host = Samples.Json(Documents.HostProfile, Samples.Host).ToJsonString();
            return new()
            {
                { "", HttpStatusCode.BadRequest, "malformed", "not JSON" },
                { "[]", HttpStatusCode.BadRequest, "malformed", "an object expected" },
                { """{"source":""", HttpStatusCode.BadRequest, "malformed", "$.source: not JSON" },
                { $$"""{"source":{{state}}}""", HttpStatusCode.BadRequest, "malformed", "member 'destination' is missing" },
                { $$"""{"source":{{state}},"destination":{{host}},"when":"now"}""", HttpStatusCode.BadRequest, "malformed", "unknown member 'when'" },
                { $$"""{"source":{{state}},"destination":{{host}}}{}""", HttpStatusCode.BadRequest, "malformed", "(at byte" },
                { $$"""{"source":{{state}},"source":{{state}},"destination":{{host}}}""", HttpStatusCode.BadRequest, "malformed", "twice" },
                { $$"""{"source":{{state}},"destination":{{host}},"policy":"hopeful"}""", HttpStatusCode.BadRequest, "malformed", "$.policy: 'hopeful'" },
                { $$"""{"source":{{state}},"destination":{{host}},"accept":["all"]}""", HttpStatusCode.BadRequest, "malformed", "'all' is no code" },
                { $$"""{"source":{{state}},"destination":{{host}},"plan":1}""", HttpStatusCode.BadRequest, "malformed", "$.plan" },
                { $$"""{"source":{{state}},"destination":{{host}},"features":"sve"}""", HttpStatusCode.BadRequest, "malformed", "a state has its own" },
                { $$"""{"source":{{host}},"destination":{{host}},"features":"magic"}""", HttpStatusCode.BadRequest, "malformed", "features: known are" },
                { $$"""{"source":{"vm":1},"destination":{{host}}}""", HttpStatusCode.UnprocessableEntity, "unsupported", "the first member must be 'schema'" },
                { $$"""{"source":{"schema":"vmmigrate/machine-state/9"},"destination":{{host}}}""", HttpStatusCode.UnprocessableEntity, "unsupported", "machine-state/9" },
                { $$"""{"source":{{state}},"destination":{{state}}}""", HttpStatusCode.UnprocessableEntity, "unsupported", "$.destination: the schema is" },
            };
        }
    }

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task Refuses_a_body_that_is_not_what_it_should_be(string body, HttpStatusCode status, string code, string detail)
    {
        await using var service = await RunningService.Start();

        using var response = await service.Post(body);

        var problem = await RunningService.Problem(response, status);
        Assert.Equal(code, (string)problem["code"]!);
        Assert.Contains(detail, (string)problem["detail"]!);
    }

    [Theory]
    [InlineData("[", "")]
    [InlineData("{\"a\":", "")]
    [InlineData("{\"source\":{\"schema\":\"vmmigrate/machine-state/1\",\"vm\":", "[")]
    public async Task Refuses_deep_nesting_without_descending(string prefix, string nested)
    {
        await using var service = await RunningService.Start();
        var body = prefix + string.Concat(Enumerable.Repeat(nested.Length == 0 ? prefix : nested, 100_000));

        using var response = await service.Post(body);

        Assert.Equal("malformed", (string)(await RunningService.Problem(response, HttpStatusCode.BadRequest))["code"]!);
    }

    [Fact]
    public async Task What_the_planner_refuses_is_told_with_code_and_remedy()
    {
        await using var service = await RunningService.Start(
            check: _ => throw new MigrateException(ErrorCode.Refused, "no such shape") { Remedy = "Measure it." });

        using var response = await service.Post(Samples.GoodBody().ToJsonString());

        var problem = await RunningService.Problem(response, HttpStatusCode.UnprocessableEntity);
        Assert.Equal("refused", (string)problem["code"]!);
        Assert.Equal("no such shape", (string)problem["detail"]!);
        Assert.Equal("Measure it.", (string)problem["remedy"]!);
    }

    [Fact]
    public async Task A_bug_is_told_without_its_inside()
    {
        await using var service = await RunningService.Start(check: _ => throw new InvalidOperationException("inside"));

        using var response = await service.Post(Samples.GoodBody().ToJsonString());

        var problem = await RunningService.Problem(response, HttpStatusCode.InternalServerError);
        Assert.Equal("bug", (string)problem["code"]!);
        Assert.DoesNotContain("inside", problem.ToJsonString());
        Assert.Contains("inside", service.Errors.ToString());
    }

    [Fact]
    public void No_truncation_and_no_flipped_byte_escapes_as_another_error()
    {
        var body = System.Text.Encoding.UTF8.GetBytes(Samples.GoodBody().ToJsonString());
        var random = new Random(7);
        var refused = 0;
        for (var i = 0; i < 4000; i++)
        {
            var bytes = i % 2 == 0 ? body[..random.Next(body.Length)] : [.. body];
            if (i % 2 == 1) bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
            try
            {
                JsonEncoding.Decode(CheckRequest.Shape, bytes);
            }
            catch (MigrateException)
            {
                refused++;
            }
        }
        Assert.InRange(refused, 2000, 4000);
    }
}
