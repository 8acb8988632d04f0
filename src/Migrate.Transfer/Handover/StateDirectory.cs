using System.Text;
using Migrate.Linux.Files;
using Migrate.Model.Errors;
using Migrate.Transfer.Receive;
using Migrate.Transfer.Send;

namespace Migrate.Transfer.Handover;

/// <summary>Where this host's sender and agent keep what must survive them.</summary>
/// <remarks>
/// <c>handovers/source/ID.json</c>, <c>handovers/destination/ID.json</c>, and <c>agent/id</c> and <c>agent/address</c>. Everything is for its owner alone.
/// </remarks>
public sealed class StateDirectory
{
    private const UnixFileMode DirectoryMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode FileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Opens or makes the directory.</summary>
    /// <param name="path">Which.</param>
    /// <param name="observer">Sees every record before and after it is written.</param>
    /// <exception cref="MigrateException"><see cref="ErrorCode.System"/>: it cannot be made.</exception>
    public StateDirectory(string path, IHandoverObserver? observer = null)
    {
        Root = Path.GetFullPath(path);
        Observer = observer;
        var source = Make("handovers", "source");
        var destination = Make("handovers", "destination");
        AgentDirectory = Make("agent");
        Source = new RecordStore<SourceMark>(source, HandoverPoints.Source, HandoverRecords.Source, observer);
        Destination = new RecordStore<DestinationMark>(destination, HandoverPoints.Destination, HandoverRecords.Destination, observer);
    }

    /// <summary>The directory.</summary>
    public string Root { get; }

    /// <summary>Who sees the points of a handover pass.</summary>
    public IHandoverObserver? Observer { get; }

    /// <summary>Where an agent keeps its identity and its lock.</summary>
    public string AgentDirectory { get; }

    /// <summary>Records of handovers away from this host.</summary>
    public RecordStore<SourceMark> Source { get; }

    /// <summary>Records of handovers to this host.</summary>
    public RecordStore<DestinationMark> Destination { get; }

    /// <summary>$VMMIGRATE_STATE, else $XDG_STATE_HOME/vmmigrate, else ~/.local/state/vmmigrate.</summary>
    public static string DefaultPath
    {
        get
        {
            if (Environment.GetEnvironmentVariable("VMMIGRATE_STATE") is { Length: > 0 } own) return own;
            var state = Environment.GetEnvironmentVariable("XDG_STATE_HOME") is { Length: > 0 } xdg
                ? xdg
                : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "state");
            return Path.Combine(state, "vmmigrate");
        }
    }

    /// <summary>The agent's identity: made once, the same after every restart.</summary>
    /// <exception cref="MigrateException">It cannot be made, or the file holds no id.</exception>
    public string AgentId()
    {
        var path = Path.Combine(AgentDirectory, "id");
        if (!File.Exists(path)) DurableFile.WriteAtomically(path, Encoding.ASCII.GetBytes(HandoverId.New() + "\n"), FileMode);
        return HandoverId.Check(File.ReadAllText(path).TrimEnd('\n'), $"the agent's id in {path}:");
    }

    /// <summary>HOST:PORT of the agent that has the directory, or had it last; empty for none yet.</summary>
    public string AgentAddress
    {
        get
        {
            var path = Path.Combine(AgentDirectory, "address");
            return File.Exists(path) ? File.ReadAllText(path).TrimEnd('\n') : "";
        }
        internal set => DurableFile.WriteAtomically(Path.Combine(AgentDirectory, "address"), Encoding.ASCII.GetBytes(value + "\n"), FileMode);
    }

    private string Make(params ReadOnlySpan<string> names)
    {
        var path = Path.Combine([Root, .. names]);
        try
        {
#pragma warning disable CA1416 // Nothing here runs on Windows.
            Directory.CreateDirectory(path, DirectoryMode);
#pragma warning restore CA1416
            return path;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new MigrateException(ErrorCode.System, $"the state directory {path} cannot be made: {e.Message}", e)
            {
                Remedy = "Choose another one with VMMIGRATE_STATE.",
            };
        }
    }
}
