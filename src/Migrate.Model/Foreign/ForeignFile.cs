using Migrate.Model.Errors;

namespace Migrate.Model.Foreign;

/// <summary>Reads the files of other tools, told apart by their content.</summary>
public static class ForeignFile
{
    private delegate bool Recogniser(ReadOnlySpan<byte> file);

    private delegate ForeignCapture Reader(ReadOnlySpan<byte> file, string name);

    private static readonly (Recogniser Recognises, Reader Read)[] Formats =
    [
        (KvmCaptureText.Recognises, KvmCaptureText.Read),
        (FirecrackerFingerprint.Recognises, FirecrackerFingerprint.Read),
    ];

    /// <summary>Reads a file of a known format; null where it is of none.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="name">Its name: for messages, and where the format puts the host and kernel there.</param>
    /// <exception cref="MigrateException">The file is of a known format and broken.</exception>
    public static ForeignCapture? TryRead(ReadOnlySpan<byte> file, string name)
    {
        foreach (var format in Formats)
            if (format.Recognises(file)) return format.Read(file, name);
        return null;
    }
}
