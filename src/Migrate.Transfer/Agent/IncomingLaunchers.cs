using System.Diagnostics;
using Migrate.Linux.Processes;
using Migrate.Model.Encoding;
using Migrate.Model.Errors;
using Migrate.Model.Machines;
using Migrate.Transfer.Handover;
using Migrate.Transfer.Machines;

namespace Migrate.Transfer.Agent;

/// <summary>One VMM that somebody started and that waits for a machine.</summary>
/// <param name="socketPath">Its machine socket.</param>
public sealed class AttachedIncoming(string socketPath) : IIncomingLauncher
{
    /// <inheritdoc/>
    public IncomingVmm Obtain(VmDescription machine) => new(socketPath, IsOurs: false);
}

/// <summary>No VMM: an agent that judges and tries, and receives nothing.</summary>
/// <param name="remedy">What the operator can do about it.</param>
public sealed class NoIncoming(string remedy) : IIncomingLauncher
{
    /// <inheritdoc/>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Refused"/>, always.</exception>
    public IncomingVmm Obtain(VmDescription machine) => throw new MigrateException(
        ErrorCode.Refused, $"this agent has no VMM to restore {Shapes.OneLine(machine.Name, 64)} into: none was named to it")
    {
        Stage = Stage.Prepare,
        Remedy = remedy,
    };
}

/// <summary>Starts a VMM for each machine, in a session of its own: it outlives the agent.</summary>
public sealed class LaunchedIncoming : IIncomingLauncher
{
    private const int LogsKept = 16;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);
    private readonly string _file;
    private readonly IReadOnlyList<string> _arguments;
    private readonly string _directory;
    private readonly string _stem;
    private readonly TimeSpan _patience;

    /// <summary>A launcher from a command template.</summary>
    /// <param name="file">The program.</param>
    /// <param name="arguments">Its arguments; <c>{socket}</c> in one stands for the path at which its machine socket must appear, <c>{name}</c> for the machine's name in plain characters.</param>
    /// <param name="directory">Where sockets and logs go; must exist.</param>
    /// <param name="owner">Whose they are, in letters and digits: it finds again what it left there.</param>
    /// <param name="patience">How long the socket may take to answer.</param>
    public LaunchedIncoming(string file, IReadOnlyList<string> arguments, string directory, string owner, TimeSpan patience) =>
        (_file, _arguments, _directory, _stem, _patience) = (file, arguments, directory, $"incoming-{owner}-", patience);

    /// <inheritdoc/>
    public IReadOnlyList<string> Leftovers() => Directory.GetFiles(_directory, _stem + "*.sock");

    /// <inheritdoc/>
    /// <exception cref="MigrateException"><see cref="ErrorCode.System"/>: the program cannot be started, ended at once, or its socket never answered.</exception>
    public IncomingVmm Obtain(VmDescription machine)
    {
        var stem = Path.Combine(_directory, _stem + HandoverId.New()[..8]);
        var (socket, log) = (stem + ".sock", stem + ".log");
        var arguments = _arguments.Select(a => a.Replace("{socket}", socket).Replace("{name}", Plain(machine.Name))).ToArray();
        PruneLogs();
        var process = DetachedProcess.Start(_file, arguments, new Dictionary<string, string?>(), log, log);
        var since = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                using var client = MachineClient.Connect(socket);
                if (client.Status().State == LifecycleState.Incoming) return new IncomingVmm(socket, IsOurs: true);
                throw new MigrateException(ErrorCode.System, $"{_file} serves a machine at {socket} instead of waiting for one");
            }
            catch (MigrateException e) when (e.Code == ErrorCode.Unreachable)
            {
                if (process.WaitForExit(Pause) is { } exit)
                    throw new MigrateException(ErrorCode.System, $"{_file} ended with {exit} before its machine socket answered{LastLine(log)}", e) { Stage = Stage.Prepare };
                if (Stopwatch.GetElapsedTime(since) < _patience) continue;
                process.Kill();
                throw new MigrateException(ErrorCode.TimedOut, $"{_file} did not open {socket} within {_patience.TotalSeconds:0} s{LastLine(log)}", e) { Stage = Stage.Prepare };
            }
            catch (MigrateException)
            {
                // What answers there is no place for a machine, and nobody else will end it.
                process.Kill();
                throw;
            }
        }
    }

    /// <summary>A name from outside in a command of the operator's: letters, digits, '.', '_' and '-', so that it is no option, no list of them and nothing to a shell.</summary>
    internal static string Plain(string name)
    {
        var plain = new string([.. name.Take(64).Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' ? c : '_')]).TrimStart('-', '.');
        return plain.Length > 0 ? plain : "vm";
    }

    /// <summary>Of machines that are gone the latest logs stay.</summary>
    private void PruneLogs()
    {
        var gone = Directory.GetFiles(_directory, _stem + "*.log").Where(log => !File.Exists(Path.ChangeExtension(log, ".sock")));
        foreach (var log in gone.OrderByDescending(File.GetLastWriteTimeUtc).Skip(LogsKept)) File.Delete(log);
    }

    private static string LastLine(string log)
    {
        try
        {
            using var reader = new StreamReader(log);
            if (reader.BaseStream.Length > 4096) reader.BaseStream.Seek(-4096, SeekOrigin.End);
            var last = reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).LastOrDefault();
            return last is null ? $"; its log is {log}" : $": {Shapes.OneLine(last, 512)} (all of it: {log})";
        }
        catch (IOException)
        {
            return "";
        }
    }
}
