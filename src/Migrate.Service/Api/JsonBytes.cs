using Migrate.Model.Encoding;

namespace Migrate.Service.Api;

/// <summary>A finished JSON text as an answer.</summary>
internal sealed class JsonBytes(byte[] utf8, int status = StatusCodes.Status200OK, string mediaType = JsonBytes.MediaType) : IResult
{
    public const string MediaType = "application/json";

    public static JsonBytes Of<T>(Shape<T> shape, T value, int status = StatusCodes.Status200OK, string mediaType = MediaType) =>
        new(System.Text.Encoding.UTF8.GetBytes(JsonEncoding.Encode(shape, value)), status, mediaType);

    public async Task ExecuteAsync(HttpContext context)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = mediaType;
        context.Response.ContentLength = utf8.Length;
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.Body.WriteAsync(utf8, context.RequestAborted);
    }
}
