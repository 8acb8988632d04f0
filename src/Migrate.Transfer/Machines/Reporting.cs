namespace Migrate.Transfer.Machines;

/// <summary>Lines for people.</summary>
internal static class Reporting
{
    /// <summary>The same, but a line that cannot be written is lost: a full disk behind stderr must not end the process that owns a VM.</summary>
    public static Action<string>? Harmless(Action<string>? report) => report is null ? null : line =>
    {
        try
        {
            report(line);
        }
        catch (Exception)
        {
            // There is nobody left to tell.
        }
    };
}
