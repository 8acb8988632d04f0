using System.Buffers;
using Migrate.Model.Errors;
using Migrate.Transfer.Machines;

namespace Migrate.Snapshots;

/// <summary>One file of a store.</summary>
/// <param name="Name">Its name in the store.</param>
/// <param name="Path">The file.</param>
/// <param name="Info">What it says about itself; null when it cannot be opened.</param>
/// <param name="Problem">Why it cannot be opened; null when it can.</param>
public sealed record SnapshotEntry(string Name, string Path, SnapshotInfo? Info, MigrateException? Problem);

/// <summary>Snapshots as files NAME.vmsnap of one directory.</summary>
/// <param name="directory">Must exist to be written to.</param>
public sealed class SnapshotStore(string directory)
{
    /// <summary>What the files' names end with.</summary>
    public const string Suffix = ".vmsnap";

    private const int LongestName = 128;
    private static readonly SearchValues<char> NameCharacters = SearchValues.Create("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._-");

    /// <summary>The directory.</summary>
    public string Directory => directory;

    /// <summary>The file of a name, whether or not it is there.</summary>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Usage"/>: the name could mean something else than a file of this directory.</exception>
    public string PathOf(string name)
    {
        if (name.Length is 0 or > LongestName || name[0] is '.' or '-' || name.AsSpan().ContainsAnyExcept(NameCharacters))
        {
            throw new MigrateException(ErrorCode.Usage, $"'{Model.Encoding.Shapes.OneLine(name, 64)}' is no name of a snapshot")
            {
                Stage = Stage.Input,
                Remedy = $"Use 1 to {LongestName} letters, digits, dots, underscores and hyphens, a letter, digit or underscore first.",
            };
        }
        return Path.Combine(directory, name + Suffix);
    }

    /// <summary>Every snapshot, the oldest first, then those that cannot be opened, by name.</summary>
    /// <exception cref="MigrateException"><see cref="ErrorCode.NotFound"/>: the directory cannot be read.</exception>
    public IReadOnlyList<SnapshotEntry> List()
    {
        string[] paths;
        try
        {
            paths = System.IO.Directory.GetFiles(directory, "*" + Suffix);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new MigrateException(ErrorCode.NotFound, $"{directory} cannot be read: {e.Message}", e) { Stage = Stage.Input };
        }
        return [.. paths.Where(path => !Path.GetFileName(path).StartsWith('.')).Select(Entry)
            .OrderBy(entry => entry.Info is null).ThenBy(entry => entry.Info?.Created).ThenBy(entry => entry.Name, StringComparer.Ordinal)];
    }

    /// <summary>Opens a snapshot by its name.</summary>
    /// <exception cref="MigrateException">As <see cref="PathOf"/> and <see cref="SnapshotReader.Open"/>.</exception>
    public SnapshotReader Open(string name) => SnapshotReader.Open(PathOf(name));

    /// <summary>Takes a snapshot of a machine, which stands still meanwhile.</summary>
    /// <param name="name">Not yet in the store.</param>
    /// <param name="machine">A connection to its machine socket; no other migration may be in progress.</param>
    /// <param name="cancellation">Looked at once a frame.</param>
    /// <exception cref="MigrateException"><see cref="ErrorCode.WrongState"/>: the name is taken; else as <see cref="SnapshotWriter.Write(string, string, ISnapshotSource, CancellationToken)"/>.</exception>
    public SnapshotReport Create(string name, MachineClient machine, CancellationToken cancellation = default)
    {
        var path = PathOf(name);
        if (File.Exists(path))
            throw new MigrateException(ErrorCode.WrongState, $"{path} is there already") { Stage = Stage.Snapshot, Remedy = "Choose another name or remove it." };
        using var session = machine.OpenSource();
        return SnapshotWriter.Write(path, name, new SessionSource(session), cancellation);
    }

    private static SnapshotEntry Entry(string path)
    {
        var name = Path.GetFileName(path)[..^Suffix.Length];
        try
        {
            using var reader = SnapshotReader.Open(path);
            return new SnapshotEntry(name, path, reader.Info, null);
        }
        catch (MigrateException e)
        {
            return new SnapshotEntry(name, path, null, e);
        }
    }
}
