using System.Diagnostics;
using System.Reflection;
using System.Text;

namespace Migrate.ProcessTests;

/// <summary>Runs the real executable in a state directory of the test's own.</summary>
internal sealed class Vmmigrate : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly List<Running> _children = [];

    /// <summary>Short, since a socket's address holds 107 bytes.</summary>
    public string State { get; } = Directory.CreateTempSubdirectory("vmm").FullName;

    public static string Root { get; } = typeof(Vmmigrate).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(a => a.Key == "RepositoryRoot").Value!;

    public static string Assembly { get; } = Path.Combine(AppContext.BaseDirectory, "vmmigrate.dll");

    public static string Capture(string name) => Path.Combine(Root, "tests", "Data", "captures", name + ".txt");

    /// <summary>What a finished command said.</summary>
    public sealed record Outcome(int ExitCode, string Out, string Error)
    {
        public string FirstLine => Out.Split('\n')[0];
    }

    /// <summary>A command that goes on.</summary>
    public sealed class Running(Process process) : IDisposable
    {
        private readonly StringBuilder _error = new();
        private readonly StringBuilder _output = new();

        public int Pid => process.Id;

        public bool HasExited => process.HasExited;

        internal Running Listen()
        {
            process.OutputDataReceived += (_, line) => Append(_output, line.Data);
            process.ErrorDataReceived += (_, line) => Append(_error, line.Data);
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            return this;
        }

        /// <summary>Waits until stderr has a line that contains a text, and returns that line.</summary>
        public string WaitFor(string text)
        {
            var until = DateTime.UtcNow + Patience;
            lock (_error)
            {
                while (true)
                {
                    if (_error.ToString().Split('\n').FirstOrDefault(l => l.Contains(text, StringComparison.Ordinal)) is { } line) return line;
                    if (process.HasExited && !Monitor.Wait(_error, 200))
                        throw new InvalidOperationException($"it ended with {process.ExitCode} without saying '{text}': {_error}");
                    if (DateTime.UtcNow > until) throw new TimeoutException($"it did not say '{text}' in {Patience.TotalSeconds} s: {_error}");
                    Monitor.Wait(_error, 200);
                }
            }
        }

        public Outcome Wait()
        {
            if (!process.WaitForExit(Patience)) throw new TimeoutException($"it did not end in {Patience.TotalSeconds} s: {_error}");
            process.WaitForExit();
            lock (_error)
            lock (_output)
                return new Outcome(process.ExitCode, _output.ToString(), _error.ToString());
        }

        public void Kill()
        {
            if (!process.HasExited) process.Kill();
            process.WaitForExit();
        }

        public void Dispose()
        {
            Kill();
            process.Dispose();
        }

        private static void Append(StringBuilder text, string? line)
        {
            if (line is null) return;
            lock (text)
            {
                text.Append(line).Append('\n');
                Monitor.PulseAll(text);
            }
        }
    }

    public Outcome Run(params string[] args) => Start(args).Wait();

    public Running Start(params string[] args) => Start(args, new Dictionary<string, string>());

    public Running Start(string[] args, IReadOnlyDictionary<string, string> environment)
    {
        var start = new ProcessStartInfo("dotnet", [Assembly, .. args]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        start.Environment["VMMIGRATE_STATE"] = State;
        foreach (var (name, value) in environment) start.Environment[name] = value;
        var running = new Running(Process.Start(start)!).Listen();
        _children.Add(running);
        return running;
    }

    public void Dispose()
    {
        foreach (var child in _children) child.Dispose();
        foreach (var socket in Directory.Exists(Path.Combine(State, "machines")) ? Directory.GetFiles(Path.Combine(State, "machines")) : []) KillOwner(socket);
        Directory.Delete(State, recursive: true);
    }

    /// <summary>Machines that an agent started live in sessions of their own and outlive it; a test must not leave them.</summary>
    private void KillOwner(string socket)
    {
        foreach (var process in Process.GetProcesses())
        {
            try
            {
                if (File.ReadAllText($"/proc/{process.Id}/environ").Contains($"VMMIGRATE_STATE={State}\0", StringComparison.Ordinal)) process.Kill();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidOperationException)
            {
                // Somebody else's process, or one that has just ended.
            }
        }
    }
}
