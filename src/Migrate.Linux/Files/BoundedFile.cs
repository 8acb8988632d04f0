using Migrate.Model.Errors;

namespace Migrate.Linux.Files;

/// <summary>Reads whole files of which nobody knows how long they are.</summary>
public static class BoundedFile
{
    /// <summary>The bytes of a file, a pipe included.</summary>
    /// <param name="path">Which.</param>
    /// <param name="largest">Most bytes; not more than one buffer beyond it is ever read.</param>
    /// <exception cref="MigrateException"><see cref="ErrorCode.NotFound"/>: it cannot be read; <see cref="ErrorCode.TooLarge"/>: it is larger.</exception>
    public static byte[] Read(string path, int largest)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            // A length is a claim, and a pipe has none.
            using var content = new MemoryStream();
            var buffer = new byte[1 << 16];
            for (int read; (read = file.Read(buffer)) > 0;)
            {
                content.Write(buffer, 0, read);
                if (content.Length > largest)
                    throw new MigrateException(ErrorCode.TooLarge, $"{path}: larger than {largest} bytes") { Stage = Stage.Input };
            }
            return content.ToArray();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new MigrateException(ErrorCode.NotFound, $"{path}: cannot be read: {e.Message}", e) { Stage = Stage.Input };
        }
    }
}
