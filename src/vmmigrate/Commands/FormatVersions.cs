using Migrate.Model.Encoding;
using Migrate.Transfer.Wire;

namespace Migrate.Cli.Commands;

/// <summary>Versions of every format that this build writes.</summary>
internal static class FormatVersions
{
    public static IReadOnlyList<(string Name, int Version)> All { get; } =
    [
        ("wire and snapshot", Preamble.CurrentVersion),
        .. Documents.Versions,
    ];
}
