using System.Text;
using Migrate.Model.Errors;

namespace Migrate.Linux.Processes;

/// <summary>Small files of procfs.</summary>
internal static class ProcFile
{
    /// <summary>The text; null when the process is gone.</summary>
    public static string? TryRead(string path)
    {
        try
        {
            return File.ReadAllText(path, Encoding.UTF8);
        }
        catch (IOException)
        {
            // Not there; or ESRCH, from a process that died between open and read.
            return null;
        }
        catch (UnauthorizedAccessException e)
        {
            throw new MigrateException(ErrorCode.Denied, $"{path} cannot be read", e);
        }
    }
}
