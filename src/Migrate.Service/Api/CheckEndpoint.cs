using Microsoft.Net.Http.Headers;
using Migrate.Model.Encoding;
using Migrate.Model.Errors;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Preflight;
using Migrate.Service.Hosting;

namespace Migrate.Service.Api;

/// <summary><c>POST /v1/check</c>: the report of <c>vmmigrate check --json</c>.</summary>
/// <remarks>At most <see cref="ServiceLimits.InFlight"/> requests are held at once; one more is answered 503 without its body being read.</remarks>
internal sealed class CheckEndpoint(ServiceLimits limits, Func<CheckRequest, CheckReport> check)
{
    public const string Path = "/v1/check";

    private readonly SemaphoreSlim _places = new(limits.InFlight, limits.InFlight);

    /// <summary>Plans as <c>vmmigrate check</c> does.</summary>
    /// <exception cref="MigrateException">The host profile given as source has no VM of these features.</exception>
    public static CheckReport Check(CheckRequest request)
    {
        var source = request.Source as HostProfile;
        VcpuFeatures? features = request.Features is { } text && VcpuFeatures.TryParse(text, out var parsed) ? parsed : null;
        var state = request.Source as MachineState ?? DefaultMachine.Of(source!, features);
        var options = new PlanOptions
        {
            Policy = request.Policy,
            Accept = request.AcceptedCodes,
            AcceptAssumed = request.Accept.Contains(CheckRequest.Assumed),
        };
        return Reports.Of(Planner.Plan(state, request.Destination, options, source), state, request.Destination, request.Plan);
    }

    public void MapTo(IEndpointRouteBuilder routes) => routes.MapPost(Path, (Delegate)Answer).WithName("check").WithTags("pre-flight");

    private async Task<IResult> Answer(HttpContext context)
    {
        EnsureJson(context.Request);
        if (!_places.Wait(0))
        {
            context.Response.Headers.RetryAfter = "1";
            throw new MigrateException(ErrorCode.Busy, $"{limits.InFlight} checks are already in flight")
            {
                IsTransient = true,
                Remedy = "Ask again in a moment.",
            };
        }
        Task<byte[]> work;
        try
        {
            var body = await ReadBody(context);
            work = Task.Run(() => Report(body));
        }
        catch
        {
            _places.Release();
            throw;
        }
        // The place is held until the work has ended, whether or not anybody still waits for it.
        _ = work.ContinueWith(_ => _places.Release(), TaskScheduler.Default);
        try
        {
            return new JsonBytes(await work.WaitAsync(limits.Work, context.RequestAborted));
        }
        catch (TimeoutException e)
        {
            throw new MigrateException(ErrorCode.TimedOut, $"the check took longer than {limits.Work.TotalSeconds:0} s", e)
            {
                Remedy = "Run vmmigrate check with the same documents.",
            };
        }
    }

    private byte[] Report(ReadOnlyMemory<byte> body)
    {
        var request = JsonEncoding.Decode(CheckRequest.Shape, body.Span);
        return System.Text.Encoding.UTF8.GetBytes(JsonEncoding.Encode(Documents.CheckReport, check(request)));
    }

    private async Task<ReadOnlyMemory<byte>> ReadBody(HttpContext context)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        limit.CancelAfter(limits.Body);
        // Grows with what has come, not with what Content-Length promised.
        var body = new MemoryStream();
        try
        {
            await context.Request.Body.CopyToAsync(body, limit.Token);
        }
        catch (OperationCanceledException e) when (!context.RequestAborted.IsCancellationRequested)
        {
            throw new BadHttpRequestException($"the body took longer than {limits.Body.TotalSeconds:0} s", StatusCodes.Status408RequestTimeout, e);
        }
        return body.GetBuffer().AsMemory(0, (int)body.Length);
    }

    private static void EnsureJson(HttpRequest request)
    {
        var isJson = MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
            && type.MediaType.Equals(JsonBytes.MediaType, StringComparison.OrdinalIgnoreCase)
            && (!type.Charset.HasValue || type.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase));
        if (!isJson) throw new BadHttpRequestException($"the body must be {JsonBytes.MediaType} in UTF-8", StatusCodes.Status415UnsupportedMediaType);
        if (request.Headers.ContentEncoding.Count > 0)
            throw new BadHttpRequestException("the body must not be compressed", StatusCodes.Status415UnsupportedMediaType);
    }
}
