using Migrate.Cli;
using Migrate.Cli.Output;
using Migrate.Kvm.Handles;
using Migrate.Kvm.Scratch;
using Migrate.Kvm.State;
using Migrate.Model.Encoding;
using Migrate.Model.Hosts;
using Migrate.Transfer.Send;

namespace Migrate.LabGuest.Jobs;

/// <summary>The commands that speak to this host's KVM, as an operator types them: one process of them all, because each would take ten seconds to start here.</summary>
internal static class CommandLineJob
{
    private const int Port = 7470;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    public static void Run(JobContext context)
    {
        var directory = Directory.CreateTempSubdirectory("command-line").FullName;
        var (profile, state) = (Path.Combine(directory, "host.profile"), Path.Combine(directory, "machine.state"));
        var probed = context.Case("probe --explain -o FILE", () => Says(context, 0, "not measured", "probe", "--explain", "-o", profile));
        if (!probed) return;
        var host = (HostProfile)DocumentFile.Read(File.ReadAllBytes(profile), profile).Value;
        using (var system = KvmSystem.Open())
        using (var machine = ScratchMachine.Create(system, new ScratchOptions { Vcpus = 2, HasGic = true }))
            File.WriteAllBytes(state, MessagePackEncoding.Encode(Documents.MachineState, KvmCapture.Capture(machine.Machine, host.Boot, host.CounterFrequency)));
        context.Case("check STATE --dry-run, on this host", () => Says(context, 0, "YES", "check", state, "--dry-run"));
        context.Case("check STATE PROFILE --dry-run", () => Says(context, 0, "YES", "check", state, profile, "--dry-run"));
        context.Case("check STATE HOST:PORT --dry-run, by an agent with a measured profile", () =>
        {
            // It ends with this process.
            new Thread(() => CommandLine.Run(["agent", "--profile", profile, "--listen", $"127.0.0.1:{Port}"], Terminal.To(TextWriter.Null, TextWriter.Null)))
            { IsBackground = true, Name = "agent" }.Start();
            var client = new AgentClient("127.0.0.1", Port) { Timeout = Patience };
            SpinWait.SpinUntil(() => IsThere(client), Patience);
            Says(context, 0, "YES", "check", state, $"127.0.0.1:{Port}", "--dry-run");
        });
        Directory.Delete(directory, recursive: true);
    }

    private static bool IsThere(AgentClient agent)
    {
        try
        {
            agent.Status();
            return true;
        }
        catch (Model.Errors.MigrateException)
        {
            Thread.Sleep(100);
            return false;
        }
    }

    private static void Says(JobContext context, int exit, string text, params string[] args)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = CommandLine.Run(args, Terminal.To(output, error));
        var first = output.ToString().Split('\n')[0];
        context.Note($"{string.Join(' ', args)}: {first}");
        CheckFailedException.That(code == exit && output.ToString().Contains(text, StringComparison.Ordinal), $"exit {code}: {output}{error}");
    }
}
