using Migrate.Model.Errors;
using Migrate.Transfer.Machines;

namespace Migrate.Cli.Sources;

/// <summary>Where this user's machines and handover records live. Machine sockets lie in it by name, so that every verb finds them.</summary>
internal static class StateDirectory
{
    public static string Root => Path.GetFullPath(Transfer.Handover.StateDirectory.DefaultPath);

    public static string Machines => Path.Combine(Root, "machines");

    /// <summary>The longest path a Unix socket address holds (sun_path, with its final zero).</summary>
    private const int LongestSocketPath = 107;

    /// <summary>For an answer about one machine of many.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>The socket of a machine by name: letters, digits, dot, dash and underscore.</summary>
    public static string SocketOf(string name)
    {
        if (!IsName(name)) throw new MigrateException(ErrorCode.Usage, $"'{name}' is no machine name: use letters, digits, '.', '-' and '_', at most 64");
        var path = Path.Combine(Machines, name + ".sock");
        if (System.Text.Encoding.UTF8.GetByteCount(path) > LongestSocketPath)
            throw new MigrateException(ErrorCode.Usage, $"{path} is longer than a socket address allows; set VMMIGRATE_STATE to a shorter directory");
        return path;
    }

    public static bool IsName(string text) =>
        text.Length is > 0 and <= 64 && text[0] != '.' && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_');

    /// <summary>A machine given by the path of its socket, the name of its socket here, or the name that it says it has (one that an agent started).</summary>
    public static string Resolve(string machine)
    {
        if (machine.Contains('/')) return machine;
        var socket = SocketOf(machine);
        if (File.Exists(socket)) return socket;
        var named = Names().Select(SocketOf).Where(s => Ask(s)?.Name == machine).ToList();
        return named.Count switch
        {
            0 => throw new MigrateException(ErrorCode.NotFound, $"no machine '{machine}' in {Machines}{(Names() is { Count: > 0 } there ? $"; there are {string.Join(", ", there)}" : "")}") { Stage = Stage.Input },
            1 => named[0],
            _ => throw new MigrateException(ErrorCode.Usage, $"several machines are called '{machine}': {string.Join(", ", named)}; name one by its socket") { Stage = Stage.Input },
        };
    }

    /// <summary>How the machine behind a socket is; null when nobody answers there.</summary>
    public static MachineStatus? Ask(string socket) => Ask(socket, out _);

    /// <inheritdoc cref="Ask(string)"/>
    /// <param name="socket">The socket.</param>
    /// <param name="problem">Why there is no answer; null where nobody listens any more: then the process has ended.</param>
    public static MachineStatus? Ask(string socket, out MigrateException? problem)
    {
        problem = null;
        try
        {
            using var client = MachineClient.Connect(socket);
            client.ReplyTimeout = Patience;
            return client.Status();
        }
        catch (MigrateException e)
        {
            if (e.Code != ErrorCode.Unreachable || e.IsTransient) problem = e;
            return null;
        }
    }

    /// <summary>Names of all sockets here, live or stale, in order.</summary>
    public static IReadOnlyList<string> Names() =>
        Directory.Exists(Machines) ? [.. Directory.GetFiles(Machines, "*.sock").Select(p => Path.GetFileNameWithoutExtension(p)).Order()] : [];

    /// <summary>Makes the directories, closed to others: who can reach a machine socket owns the machine.</summary>
    public static void Create()
    {
        Directory.CreateDirectory(Root, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Directory.CreateDirectory(Machines, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
