using System.Diagnostics;
using System.Reflection;
using Migrate.Model.Errors;
using Migrate.Transfer.Machines;

namespace Migrate.ProcessTests.Harness;

/// <summary>One host: the real executable in a state directory of the test's own.</summary>
internal sealed class Vmmigrate : IDisposable
{
    private readonly List<Running> _children = [];

    /// <summary>Short, since a socket's address holds 107 bytes.</summary>
    public string State { get; } = Directory.CreateTempSubdirectory("vmm").FullName;

    public string Machines => Path.Combine(State, "machines");

    public static string Root { get; } = typeof(Vmmigrate).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(a => a.Key == "RepositoryRoot").Value!;

    /// <summary>The program where its own build put it, with the service beside it.</summary>
    public static string Assembly { get; } = Path.Combine(Root, "src", "vmmigrate", "bin", ConfigurationAndFramework(), "vmmigrate.dll");

    public static string Capture(string name) => Path.Combine(Root, "tests", "Data", "captures", name + ".txt");

    public Ended Run(params string[] args) => Start(args).Wait();

    public Running Start(params string[] args) => Start(args, killAt: null);

    /// <summary>Starts a command that kills itself at these points of a handover (comma-separated; inherited by the machines that it starts).</summary>
    public Running Start(string[] args, string? killAt)
    {
        var start = new ProcessStartInfo(Hosting.Command[0], [.. Hosting.Command[1..], .. args]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        start.Environment["VMMIGRATE_STATE"] = State;
        // What a command makes there for itself goes with the test, too.
        start.Environment["TMPDIR"] = State;
        if (killAt is not null) start.Environment["VMMIGRATE_TEST_KILL_AT"] = killAt;
        var running = new Running(Process.Start(start)!);
        Hosting.Tell($"{running.Pid}: started{(killAt is null ? "" : $", to be killed at {killAt}")}: {string.Join(' ', args)}");
        _children.Add(running);
        return running;
    }

    /// <summary>A small machine that ends with the test run, however that ends.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="killAt">Points at which it kills itself.</param>
    /// <param name="more">Options; they come before those that are usual here.</param>
    public Running StartMachine(string name, string? killAt = null, params string[] more)
    {
        var machine = Start(["run", "--name", name, "--end-with-stdin", .. more, .. Hosting.Machine.Where(o => !more.Contains(o[0])).SelectMany(o => o)], killAt);
        machine.WaitFor($"machine {name} at");
        return machine;
    }

    /// <summary>What every machine socket here says; one that nobody answers is left out.</summary>
    public IReadOnlyList<MachineStatus> Ask()
    {
        if (!Directory.Exists(Machines)) return [];
        List<MachineStatus> all = [];
        foreach (var socket in Directory.GetFiles(Machines, "*.sock"))
        {
            try
            {
                using var client = MachineClient.Connect(socket);
                all.Add(client.Status());
            }
            catch (MigrateException)
            {
                // Gone, or going.
            }
        }
        return all;
    }

    /// <summary>Forgets the sockets that killed machines left. Only while nothing is being started here.</summary>
    public void Sweep()
    {
        foreach (var socket in Directory.GetFiles(Machines, "*.sock"))
        {
            try
            {
                MachineClient.Connect(socket).Dispose();
            }
            catch (MigrateException)
            {
                File.Delete(socket);
            }
        }
    }

    /// <summary>Kills every process that has this state directory, those in sessions of their own included.</summary>
    public void Dispose()
    {
        // First those whom nobody here waits for: a grandchild keeps the pipes of a killed child open.
        Processes.KillAll($"VMMIGRATE_STATE={State}");
        foreach (var child in _children) child.Dispose();
        Directory.Delete(State, recursive: true);
    }

    private static string ConfigurationAndFramework()
    {
        var framework = new DirectoryInfo(AppContext.BaseDirectory);
        return Path.Combine(framework.Parent!.Name, framework.Name);
    }
}
