using Microsoft.AspNetCore.WebUtilities;
using Migrate.Model.Encoding;
using Migrate.Model.Errors;

namespace Migrate.Service.Api;

/// <summary>An error as application/problem+json (RFC 9457), with the stable code and the remedy of the command line.</summary>
internal sealed record Problem(int Status, string Title, string Detail, string Code, string? Remedy)
{
    public const string MediaType = "application/problem+json";

    public static Shape<Problem> Shape { get; } = Declare();

    private static Shape<Problem> Declare()
    {
        var record = new RecordShape<Problem>("Problem", "Why a request was not answered (RFC 9457).");
        var status = record.Required("status", Shapes.Int32Between(400, 599), p => p.Status, "The HTTP status.");
        var title = record.Required("title", Shapes.TextUpTo(64), p => p.Title, "The status in words.");
        var detail = record.Required("detail", Shapes.Text, p => p.Detail, "What was wrong; for a document its path, reason and byte.");
        var code = record.Required("code", Shapes.TextUpTo(64), p => p.Code, "The stable error code.");
        var remedy = record.Optional("remedy", Shapes.Optional(Shapes.Text), p => p.Remedy, null, "What to do about it.");
        return record.Build(v => new Problem(v.Get(status), v.Get(title), v.Get(detail), v.Get(code), v.Get(remedy)));
    }
}

/// <summary>Turns everything that goes wrong into a <see cref="Problem"/>.</summary>
/// <param name="errors">Where a bug in the service is reported in full.</param>
internal sealed class Problems(TextWriter errors)
{
    /// <summary>The code of an error that is a bug in the service.</summary>
    public const string Bug = "bug";

    /// <summary>Middleware around all others.</summary>
    public async Task Guard(HttpContext context, RequestDelegate next)
    {
        Problem problem;
        try
        {
            await next(context);
            if (context.Response.HasStarted || context.Response.StatusCode < StatusCodes.Status400BadRequest) return;
            problem = OfStatus(context);
        }
        catch (MigrateException e)
        {
            problem = Of(StatusOf(e.Code), e.Message, e.Code.Text(), e.Remedy);
        }
        catch (BadHttpRequestException e)
        {
            problem = Of(e.StatusCode, e.Message, CodeOf(e.StatusCode).Text(), null);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            return;
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            errors.WriteLine($"Migrate.Service: {context.Request.Path} failed: {e}");
            problem = Of(StatusCodes.Status500InternalServerError, "the service failed; its error output says how", Bug, "Report it with that output.");
        }
        if (context.Response.HasStarted || context.RequestAborted.IsCancellationRequested) return;
        await JsonBytes.Of(Problem.Shape, problem, problem.Status, Problem.MediaType).ExecuteAsync(context);
    }

    private static Problem OfStatus(HttpContext context) => context.Response.StatusCode switch
    {
        StatusCodes.Status404NotFound => Of(404, "there is nothing here", ErrorCode.NotFound.Text(), $"See {ApiDescription.Path}."),
        StatusCodes.Status405MethodNotAllowed =>
            Of(405, $"the method is not one of {context.Response.Headers.Allow}", ErrorCode.Usage.Text(), $"See {ApiDescription.Path}."),
        var status => Of(status, "the request cannot be answered", ErrorCode.Usage.Text(), null),
    };

    private static Problem Of(int status, string detail, string code, string? remedy) =>
        new(status, ReasonPhrases.GetReasonPhrase(status), Shapes.OneLine(detail), code, remedy is null ? null : Shapes.OneLine(remedy));

    private static int StatusOf(ErrorCode code) => code switch
    {
        ErrorCode.Malformed or ErrorCode.Usage => StatusCodes.Status400BadRequest,
        ErrorCode.TooLarge => StatusCodes.Status413PayloadTooLarge,
        ErrorCode.Busy or ErrorCode.TimedOut => StatusCodes.Status503ServiceUnavailable,
        _ => StatusCodes.Status422UnprocessableEntity,
    };

    private static ErrorCode CodeOf(int status) => status switch
    {
        StatusCodes.Status408RequestTimeout => ErrorCode.TimedOut,
        StatusCodes.Status413PayloadTooLarge => ErrorCode.TooLarge,
        StatusCodes.Status415UnsupportedMediaType => ErrorCode.Unsupported,
        _ => ErrorCode.Malformed,
    };
}
