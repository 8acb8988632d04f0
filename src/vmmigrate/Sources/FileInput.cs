using Migrate.Model.Encoding;
using Migrate.Model.Errors;
using Migrate.Model.Foreign;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;

namespace Migrate.Cli.Sources;

/// <summary>What a file turned out to be, by its content alone.</summary>
internal abstract record FileInput(string Kind)
{
    /// <summary>A state; a foreign capture also assumes a profile of the host that it was taken on.</summary>
    public sealed record OfState(string Kind, MachineState State, HostProfile? Host) : FileInput(Kind);

    /// <summary>A host profile.</summary>
    public sealed record OfProfile(string Kind, HostProfile Profile) : FileInput(Kind);

    /// <summary>A plan.</summary>
    public sealed record OfPlan(string Kind, RestorePlan Plan) : FileInput(Kind);

    /// <summary>A check report.</summary>
    public sealed record OfReport(string Kind, CheckReport Report) : FileInput(Kind);

    /// <summary>Reads a file of any kind that this program knows.</summary>
    public static FileInput Read(string path)
    {
        var bytes = Load(path);
        if (ForeignFile.TryRead(bytes, path) is { } capture)
        {
            return new OfState(
                capture.KernelRelease.Length > 0 ? $"a capture of kernel {capture.KernelRelease}" : "a capture",
                capture.ToState(),
                capture.KernelRelease.Length > 0 ? ForeignProfile.Assume(capture) : null);
        }
        var document = DocumentFile.Read(bytes, path);
        var kind = $"a {document.SchemaId}";
        return document.Value switch
        {
            MachineState state => new OfState(kind, state, null),
            HostProfile profile => new OfProfile(kind, profile),
            RestorePlan plan => new OfPlan(kind, plan),
            CheckReport report => new OfReport(kind, report),
            _ => throw new MigrateException(ErrorCode.Unsupported, $"{path}: nothing here reads {kind}"),
        };
    }

    /// <summary>The foreign capture in a file; null where it is something else.</summary>
    public static ForeignCapture? Foreign(string path) => ForeignFile.TryRead(Load(path), path);

    private static byte[] Load(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            // A length is a claim (a pipe has none): at most one buffer more than the limit is read.
            using var content = new MemoryStream();
            var buffer = new byte[1 << 16];
            for (int read; (read = file.Read(buffer)) > 0;)
            {
                content.Write(buffer, 0, read);
                if (content.Length > DocumentFile.LargestFile)
                    throw new MigrateException(ErrorCode.TooLarge, $"{path}: larger than {DocumentFile.LargestFile >> 20} MiB, which no document is") { Stage = Stage.Input };
            }
            return content.ToArray();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new MigrateException(ErrorCode.NotFound, $"{path}: cannot be read: {e.Message}", e) { Stage = Stage.Input };
        }
    }
}
