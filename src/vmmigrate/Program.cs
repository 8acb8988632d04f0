using Migrate.Cli;
using Migrate.Cli.Commands;
using Migrate.Cli.Output;

return CommandLine.Run(args, Terminal.OfProcess());

namespace Migrate.Cli
{
    /// <summary>Parses, runs one command, and turns whatever happened into an exit code of DESIGN's table.</summary>
    internal static class CommandLine
    {
        public static int Run(string[] args, Terminal terminal)
        {
            var root = CommandTable.Root(terminal);
            var parsed = root.Parse(args);
            var json = args.Contains("--json");
            if (parsed.Errors.Count > 0 && !args.Any(a => a is "--help" or "-h" or "-?"))
            {
                var usage = new UsageException(string.Join("; ", parsed.Errors.Select(e => e.Message)), parsed.CommandResult.Command.Name);
                return Failure.Report(terminal, usage, json);
            }
            try
            {
                return parsed.Invoke(new() { Output = terminal.Out, Error = terminal.Error, EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
            }
            catch (Exception failure)
            {
                return Failure.Report(terminal, failure, json);
            }
        }
    }
}
