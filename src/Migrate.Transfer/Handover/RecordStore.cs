using System.Globalization;
using System.Text;
using Migrate.Linux;
using Migrate.Linux.Files;
using Migrate.Model.Encoding;
using Migrate.Model.Errors;

namespace Migrate.Transfer.Handover;

/// <summary>The records of one side: a JSON file an id, durable when a write returns.</summary>
/// <typeparam name="TMark">What this side's records say.</typeparam>
public sealed class RecordStore<TMark>
    where TMark : struct, Enum
{
    private const long LongestFile = 64 << 10;
    private const UnixFileMode FileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private readonly string _directory;
    private readonly string _side;
    private readonly Shape<HandoverRecord<TMark>> _shape;
    private readonly IHandoverObserver? _observer;

    internal RecordStore(string directory, string side, Shape<HandoverRecord<TMark>> shape, IHandoverObserver? observer)
    {
        _directory = directory;
        _side = side;
        _shape = shape;
        _observer = observer;
    }

    /// <summary>The record of an id; null where there is none.</summary>
    /// <exception cref="MigrateException">The id or the file is not what it should be; the message names it.</exception>
    public HandoverRecord<TMark>? Find(string id)
    {
        var path = PathOf(id);
        try
        {
            using var file = File.OpenHandle(path);
            var length = RandomAccess.GetLength(file);
            if (length > LongestFile)
                throw new MigrateException(ErrorCode.TooLarge, $"{path} has {length} bytes; a handover's record has at most {LongestFile}");
            var bytes = new byte[length];
            var read = RandomAccess.Read(file, bytes, 0);
            var record = JsonEncoding.Decode(_shape, bytes.AsSpan(0, read));
            return record.Id == id ? record : throw new MigrateException(ErrorCode.Malformed, $"the record names the handover {record.Id}");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (MigrateException e)
        {
            throw new MigrateException(e.Code, $"{path}: {e.Message}", e) { Remedy = "Nothing is decided without it: repair it, or ask the other side." };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new MigrateException(ErrorCode.System, $"{path} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Writes a record, stamped with the time of now. It survives a crash once this returns.</summary>
    /// <exception cref="MigrateException">The storage failed: nothing may be done that rests on the record.</exception>
    public HandoverRecord<TMark> Write(HandoverRecord<TMark> record)
    {
        var path = PathOf(record.Id);
        record = record with { Time = DateTime.UtcNow.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture) };
        _observer?.Reached(HandoverPoints.BeforeRecord(_side, record.Mark));
        DurableFile.WriteAtomically(path, Encoding.UTF8.GetBytes(JsonEncoding.Encode(_shape, record) + "\n"), FileMode);
        _observer?.Reached(HandoverPoints.AfterRecord(_side, record.Mark));
        return record;
    }

    /// <summary>Writes and forgets as much as a record will need: what would fail once everything rests on it fails now.</summary>
    /// <exception cref="MigrateException">The storage failed.</exception>
    internal void Try(string id)
    {
        var path = Path.ChangeExtension(PathOf(id), ".trial");
        try
        {
            DurableFile.WriteAtomically(path, new byte[4096], FileMode);
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or LinuxException)
        {
            throw new MigrateException(ErrorCode.System, $"the handover could not be recorded in {_directory}: {e.Message}", e) { Remedy = "Make room there, or mend its storage." };
        }
    }

    /// <summary>Keeps everybody else from taking a handover up while this process works on it; a crash gives it up.</summary>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Busy"/>: another process works on it.</exception>
    internal OwnerLock Hold(string id) => OwnerLock.TakeFile(Path.ChangeExtension(PathOf(id), ".lock"), $"handover {id}", "Wait for that process, or end it, and try again.");

    /// <summary>The ids that have a record, sorted.</summary>
    public IReadOnlyList<string> Ids()
    {
        if (!Directory.Exists(_directory)) return [];
        return [.. Directory.EnumerateFiles(_directory, "*.json").Select(f => Path.GetFileNameWithoutExtension(f)).Where(HandoverId.IsValid).Order(StringComparer.Ordinal)];
    }

    private string PathOf(string id) => Path.Combine(_directory, HandoverId.Check(id, "handover id") + ".json");
}
