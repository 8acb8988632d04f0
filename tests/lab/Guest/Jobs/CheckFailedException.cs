namespace Migrate.LabGuest.Jobs;

/// <summary>A case found something else than it expected; the message says both.</summary>
public sealed class CheckFailedException(string message) : Exception(message)
{
    /// <summary>Throws unless the two are equal.</summary>
    public static void Equal<T>(T expected, T actual, string what)
    {
        if (!EqualityComparer<T>.Default.Equals(expected, actual))
            throw new CheckFailedException($"{what}: expected {expected}, got {actual}");
    }

    /// <summary>Throws unless the condition holds.</summary>
    public static void That(bool condition, string otherwise)
    {
        if (!condition)
            throw new CheckFailedException(otherwise);
    }
}
