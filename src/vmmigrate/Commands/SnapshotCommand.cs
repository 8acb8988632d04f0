using System.CommandLine;
using Migrate.Cli.Demo;
using Migrate.Cli.Output;
using Migrate.Cli.Sources;
using Migrate.Model.Encoding;
using Migrate.Model.Errors;
using Migrate.Model.Hosts;
using Migrate.Preflight;
using Migrate.Snapshots;
using Migrate.Transfer.Agent;
using Migrate.Transfer.Machines;

namespace Migrate.Cli.Commands;

/// <summary><c>vmmigrate snapshot create|restore|list|verify</c>.</summary>
internal static class SnapshotCommand
{
    public static Command Build(Terminal terminal) => new("snapshot", "Take, list, verify and restore snapshots: the frames of a move, in a file.")
    {
        Create(terminal), Restore(terminal), List(terminal), Verify(terminal),
    };

    private static Command Create(Terminal terminal)
    {
        var machine = new Argument<string>("MACHINE") { Description = "A machine's name, or the path of its socket." };
        var directory = new Argument<string>("DIR") { Description = "Where snapshots are kept; made if it is not there." };
        var name = new Option<string?>("--name") { Description = "The snapshot's name (default: the machine's name and the time)." };
        var json = Options.Json();
        var command = new Command("create", "Write a full snapshot. The machine stands still meanwhile; the time is reported.") { machine, directory, name, json };
        command.SetAction(parsed =>
        {
            using var client = MachineClient.Connect(StateDirectory.Resolve(parsed.GetValue(machine)!));
            Directory.CreateDirectory(parsed.GetValue(directory)!, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            var chosen = parsed.GetValue(name) ?? $"{client.Status().Name}-{DateTime.UtcNow:yyyyMMdd-HHmmss}";
            var report = new SnapshotStore(parsed.GetValue(directory)!).Create(chosen, client);
            if (parsed.GetValue(json)) terminal.Out.WriteLine(JsonEncoding.Encode(SnapshotInfo.Shape, report.Info));
            else
            {
                terminal.Out.WriteLine(report.Path);
                terminal.Error.WriteLine(
                    $"{report.Info.StoredPages} pages stored, {report.Info.ZeroPages} zero; {Units.Bytes(report.Info.FileBytes)} in {Units.Time(report.Elapsed.TotalSeconds)}, the machine stood still for {Units.Time(report.Paused.TotalSeconds)}");
            }
            return ExitCode.Yes;
        });
        return command;
    }

    private static Command List(Terminal terminal)
    {
        var directory = new Argument<string>("DIR") { Description = "Where snapshots are kept." };
        var json = Options.Json();
        var command = new Command("list", "List snapshots, the oldest first, and files that are none.") { directory, json };
        command.SetAction(parsed =>
        {
            var entries = new SnapshotStore(parsed.GetValue(directory)!).List();
            if (parsed.GetValue(json))
            {
                foreach (var entry in entries)
                    if (entry.Info is { } info) terminal.Out.WriteLine(JsonEncoding.Encode(SnapshotInfo.Shape, info, indented: false));
            }
            else if (entries.Count == 0) terminal.Out.WriteLine($"No snapshots in {parsed.GetValue(directory)}.");
            else
            {
                terminal.Write(["Name", "Machine", "Created", "Pages", "File"], entries.Select(e => e.Info is { } info
                    ? (IReadOnlyList<string>)[e.Name, info.Machine, info.Created.ToString("u", System.Globalization.CultureInfo.InvariantCulture), $"{info.StoredPages}", Units.Bytes(info.FileBytes)]
                    : [e.Name, "", "", "", e.Problem!.Message]));
            }
            return ExitCode.Yes;
        });
        return command;
    }

    private static Command Verify(Terminal terminal)
    {
        var what = new Argument<string>("SNAPSHOT") { Description = "A snapshot's file, or a directory: then every one in it." };
        var command = new Command("verify", "Read a snapshot whole and check every checksum and offset: refuses what restore would refuse. Exit code 2 when one is damaged.") { what };
        command.SetAction(parsed =>
        {
            var path = parsed.GetValue(what)!;
            string[] files = Directory.Exists(path) ? [.. new SnapshotStore(path).List().Select(e => e.Path)] : [path];
            if (files.Length == 0) throw new MigrateException(ErrorCode.NotFound, $"no snapshots in {path}");
            var damaged = 0;
            foreach (var file in files)
            {
                try
                {
                    using var reader = SnapshotReader.Open(file);
                    reader.Verify();
                    terminal.Out.WriteLine($"{file}: whole, {reader.Info.StoredPages} pages");
                }
                catch (MigrateException problem) when (files.Length > 1)
                {
                    damaged++;
                    terminal.Error.WriteLine($"vmmigrate: {problem.Message}");
                }
            }
            return damaged == 0 ? ExitCode.Yes : ExitCode.Input;
        });
        return command;
    }

    private static Command Restore(Terminal terminal)
    {
        var file = new Argument<string>("SNAPSHOT") { Description = "A snapshot's file." };
        var simulate = new Option<string?>("--simulate") { Description = "The simulated host to restore on: a bundled profile's name, or a file.", HelpName = "PROFILE", Arity = ArgumentArity.ZeroOrOne };
        var policy = Options.PolicyOf();
        var accept = Options.Accept();
        var command = new Command("restore", "Start a machine from a snapshot in a process of its own. The snapshot's machine must not run any more: they are the same VM.") { file, simulate, policy, accept };
        command.SetAction(parsed =>
        {
            if (parsed.GetResult(simulate) is null) throw new UsageException("this build restores simulated machines only: add --simulate", "restore");
            var name = parsed.GetValue(simulate) ?? BundledHosts.Default;
            var host = BundledHosts.Resolve(name);
            using var snapshot = SnapshotReader.Open(parsed.GetValue(file)!);
            var options = Options.Plan(parsed.GetValue(policy)!, parsed.GetValue(accept)!);
            StateDirectory.Create();
            var launcher = new LaunchedIncoming(Child.Command[0], [.. Child.Command.Skip(1), "run", "--simulate", name, "--incoming", "--socket", "{socket}", "--name", "{name}"], StateDirectory.Machines, "restored", TimeSpan.FromSeconds(30));
            var vmm = launcher.Obtain(snapshot.ReadState().Vm);
            var outcome = Restored(snapshot, vmm.SocketPath, host, options);
            if (outcome.Started)
            {
                terminal.Out.WriteLine($"{snapshot.Info.Machine}: running, socket {vmm.SocketPath}");
                terminal.Error.WriteLine($"restored in {Units.Time(outcome.Elapsed.TotalSeconds)}");
                return ExitCode.Yes;
            }
            if (outcome.Prepare is null) ReportText.Write(terminal, outcome.Report);
            else terminal.Error.WriteLine($"vmmigrate: the host did not do what its profile says: {FailureOf(outcome)}");
            return outcome.Prepare is null ? ReportText.ExitCodeOf(outcome.Report.Verdict) : ExitCode.Failed;
        });
        return command;
    }

    /// <summary>Runs the restore; a machine that did not start is ended with its process.</summary>
    private static RestoreOutcome Restored(SnapshotReader snapshot, string socket, HostProfile host, PlanOptions options)
    {
        using var client = MachineClient.Connect(socket);
        var started = false;
        try
        {
            var outcome = SnapshotRestore.Run(snapshot, client, host, options);
            started = outcome.Started;
            return outcome;
        }
        finally
        {
            if (!started) End(client);
        }
    }

    private static void End(MachineClient client)
    {
        try
        {
            client.Destroy();
        }
        catch (MigrateException)
        {
            // It ended by itself, which may be why the restore failed: that is what is told.
        }
    }

    private static string FailureOf(RestoreOutcome outcome)
    {
        var run = outcome.Apply ?? outcome.Prepare!;
        return run.Failed.Count > 0 ? $"step {run.Failed[0].Step}: errno {run.Failed[0].Errno} {run.Failed[0].Note}" : $"register {Model.Registers.RegisterCatalog.Name(run.Differences[0].Id)} reads back otherwise";
    }
}
