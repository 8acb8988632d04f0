using Migrate.Linux.Files;
using Migrate.Model.Encoding;
using Migrate.Model.Errors;
using Migrate.Model.Explanations;
using Migrate.Model.Foreign;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Snapshots;
using Migrate.Transfer.Wire;

namespace Migrate.Cli.Sources;

/// <summary>What a file turned out to be, by its content alone.</summary>
internal abstract record FileInput(string Kind)
{
    /// <summary>A state; a foreign capture also assumes a profile of the host that it was taken on.</summary>
    public sealed record OfState(string Kind, MachineState State, HostProfile? Host) : FileInput(Kind);

    /// <summary>A snapshot: a state with memory.</summary>
    public sealed record OfSnapshot(string Kind, MachineState State, SnapshotInfo Info) : FileInput(Kind);

    /// <summary>A host profile.</summary>
    public sealed record OfProfile(string Kind, HostProfile Profile) : FileInput(Kind);

    /// <summary>A plan.</summary>
    public sealed record OfPlan(string Kind, RestorePlan Plan) : FileInput(Kind);

    /// <summary>A check report.</summary>
    public sealed record OfReport(string Kind, CheckReport Report) : FileInput(Kind);

    /// <summary>A matrix of hosts.</summary>
    public sealed record OfMatrix(string Kind, MatrixReport Matrix) : FileInput(Kind);

    /// <summary>An explanation.</summary>
    public sealed record OfExplanation(string Kind, Explanation Explanation) : FileInput(Kind);

    /// <summary>The configuration of a VM.</summary>
    public sealed record OfConfig(string Kind, VmConfig Config) : FileInput(Kind);

    /// <summary>A baseline of hosts, or the pools that they need.</summary>
    public sealed record OfBaseline(string Kind, BaselineReport Report) : FileInput(Kind);

    /// <summary>Reads a file of any kind that this program knows.</summary>
    public static FileInput Read(string path)
    {
        if (IsSnapshot(path))
        {
            using var snapshot = SnapshotReader.Open(path);
            return new OfSnapshot("a snapshot", snapshot.ReadState(), snapshot.Info);
        }
        var bytes = Load(path);
        if (ForeignFile.TryRead(bytes, path) is { } capture)
        {
            return new OfState(
                capture.TellsHost ? $"a capture of {capture.HostName}" : "a capture",
                capture.ToState(),
                capture.TellsHost ? ForeignProfile.Assume(capture) : null);
        }
        var document = DocumentFile.Read(bytes, path);
        var kind = $"a {document.SchemaId}";
        return document.Value switch
        {
            MachineState state => new OfState(kind, state, null),
            HostProfile profile => new OfProfile(kind, profile),
            RestorePlan plan => new OfPlan(kind, plan),
            CheckReport report => new OfReport(kind, report),
            MatrixReport matrix => new OfMatrix(kind, matrix),
            Explanation explanation => new OfExplanation(kind, explanation),
            VmConfig config => new OfConfig(kind, config),
            BaselineReport baseline => new OfBaseline(kind, baseline),
            _ => throw new MigrateException(ErrorCode.Unsupported, $"{path}: nothing here reads {kind}"),
        };
    }

    /// <summary>The configuration of a VM in a file.</summary>
    public static VmConfig ReadConfig(string path) => Read(path) is OfConfig { Config: var config } ? config
        : throw new MigrateException(ErrorCode.Malformed, $"{path} is no configuration of a VM") { Stage = Stage.Input, Remedy = "vmmigrate baseline HOST... -o FILE writes one." };

    /// <summary>The foreign capture in a file; null where it is something else.</summary>
    public static ForeignCapture? Foreign(string path) => IsSnapshot(path) ? null : ForeignFile.TryRead(Load(path), path);

    /// <summary>Whether a file begins as our streams do: a snapshot, which is too long to be read at once.</summary>
    private static bool IsSnapshot(string path)
    {
        try
        {
            using var file = File.OpenHandle(path);
            Span<byte> magic = stackalloc byte[Preamble.Magic.Length];
            return RandomAccess.Read(file, magic, 0) == magic.Length && magic.SequenceEqual(Preamble.Magic);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            // A pipe, or a file that cannot be read: whoever reads it says so.
            return false;
        }
    }

    private static byte[] Load(string path) => BoundedFile.Read(path, DocumentFile.LargestFile);
}
