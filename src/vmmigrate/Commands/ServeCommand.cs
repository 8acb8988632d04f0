using System.CommandLine;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Migrate.Cli.Demo;
using Migrate.Cli.Output;
using Migrate.Model.Errors;

namespace Migrate.Cli.Commands;

/// <summary><c>vmmigrate serve</c>: starts the pre-flight API, an executable of its own that lies beside this one.</summary>
internal static class ServeCommand
{
    public static Command Build(Terminal terminal)
    {
        var listen = new Option<string>("--listen") { Description = "Where to listen.", HelpName = "HOST:PORT", DefaultValueFactory = _ => "127.0.0.1:7471" };
        var insecure = new Option<bool>("--insecure") { Description = "Listen on an address that others can reach, without encryption or authentication." };
        var stdin = new Option<bool>("--end-with-stdin") { Description = "End when standard input ends." };
        var command = new Command("serve", "Serve the pre-flight API over HTTP: POST /v1/check, GET /health, GET /openapi/v1.json.") { listen, insecure, stdin };
        command.SetAction(parsed =>
        {
            var service = Path.Combine(AppContext.BaseDirectory, "service", "Migrate.Service.dll");
            if (!File.Exists(service)) throw new MigrateException(ErrorCode.NotFound, $"{service} is not there: the pre-flight API was not installed with this program");
            List<string> arguments = [service, "--listen", parsed.GetValue(listen)!];
            if (parsed.GetValue(insecure)) arguments.Add("--insecure");
            if (parsed.GetValue(stdin)) arguments.Add("--end-with-stdin");
            // The service handles the signals that a terminal sends to both; this process only waits and passes its exit code on.
            using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => context.Cancel = true);
            using var process = Process.Start(new ProcessStartInfo(Child.Runtime, arguments))!;
            using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
            {
                context.Cancel = true;
                Linux.Processes.Signals.Terminate(process.Id);
            });
            process.WaitForExit();
            return process.ExitCode switch { 0 => ExitCode.Yes, ExitCode.Input => ExitCode.Input, _ => ExitCode.Failed };
        });
        return command;
    }
}
