namespace Migrate.Cli.Output;

/// <summary>What a script can rely on. The same for every verb.</summary>
internal static class ExitCode
{
    /// <summary>The answer is yes, or it is done.</summary>
    public const int Yes = 0;

    /// <summary>The answer is no; nothing was changed.</summary>
    public const int No = 1;

    /// <summary>The command line or an input file is wrong.</summary>
    public const int Input = 2;

    /// <summary>A peer is unreachable; nothing was started.</summary>
    public const int Unreachable = 3;

    /// <summary>It failed; the source still runs.</summary>
    public const int Failed = 4;

    /// <summary>Which side runs cannot be proven; see <c>vmmigrate resolve</c>.</summary>
    public const int Unknown = 5;

    /// <summary>Nothing speaks against it, but the verdict rests on assumptions.</summary>
    public const int Unproven = 6;

    /// <summary>A bug.</summary>
    public const int Bug = 70;
}
