using System.CommandLine;
using System.Runtime.InteropServices;
using Migrate.Cli.Output;
using Migrate.Cli.Sources;
using Migrate.Model;
using Migrate.Model.Encoding;
using Migrate.Model.Plans;
using Migrate.Transfer.Send;

namespace Migrate.Cli.Commands;

/// <summary><c>vmmigrate send MACHINE HOST:PORT</c>: checks, moves, hands over.</summary>
internal static class SendCommand
{
    public static Command Build(Terminal terminal)
    {
        var machine = new Argument<string>("MACHINE") { Description = "A machine's name, or the path of its socket." };
        var agent = new Argument<string>("HOST:PORT") { Description = "The agent of the destination." };
        var downtime = Options.Time("--max-downtime", "The longest stop to aim at.", TimeSpan.FromMilliseconds(300));
        var timeout = Options.Time("--timeout", "Give up, with the source running, when pages were copied for so long.", TimeSpan.FromHours(1));
        var outcome = Options.Time("--outcome-timeout", "How long the agent is asked what became of a handover whose connection was lost.", TimeSpan.FromSeconds(30));
        var bandwidth = Options.Bytes("--bandwidth", "Bytes a second at most; 0 for no limit.", 0);
        var policy = Options.PolicyOf();
        var accept = Options.Accept();
        var verify = new Option<bool>("--verify") { Description = "Compare digests of guest memory before the machine starts at the destination." };
        var throttle = new Option<bool>("--no-throttle") { Description = "Never slow the vCPUs; rather give up." };
        var json = new Option<bool>("--json") { Description = "One JSON event a line on stdout." };
        var command = new Command("send", "Move a running machine to another host: plan, prepare, copy while it runs, stop, hand over.")
        {
            machine, agent, downtime, timeout, bandwidth, policy, accept, verify, throttle, outcome, json,
        };
        command.SetAction(parsed =>
        {
            var endpoint = Endpoint.Parse(parsed.GetValue(agent)!);
            var plan = Options.Plan(parsed.GetValue(policy)!, parsed.GetValue(accept)!);
            var options = new SendOptions
            {
                MachineSocket = StateDirectory.Resolve(parsed.GetValue(machine)!),
                Host = endpoint.Host,
                Port = endpoint.Port,
                State = HandoverState.Open(),
                MaxDowntime = parsed.GetValue(downtime).Value,
                Timeout = parsed.GetValue(timeout).Value,
                OutcomeTimeout = parsed.GetValue(outcome).Value,
                Bandwidth = (long)parsed.GetValue(bandwidth).Value,
                Policy = plan.Policy,
                Accept = plan.Accept.ToEquatableArray(),
                AcceptAssumed = plan.AcceptAssumed,
                Verify = parsed.GetValue(verify),
                AutoConverge = !parsed.GetValue(throttle),
            };
            using var cancel = new CancellationTokenSource();
            using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => { context.Cancel = true; cancel.Cancel(); });
            using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => { context.Cancel = true; cancel.Cancel(); });
            var progress = new SendProgress(terminal);
            Action<SendEvent> tell = parsed.GetValue(json)
                ? happened => terminal.Out.WriteLine(JsonEncoding.Encode(SendEvent.Shape, happened, indented: false))
                : progress.Tell;
            try
            {
                var report = Sender.Send(options, tell, cancel.Token);
                if (!parsed.GetValue(json)) SendProgress.Write(terminal, report);
                return ExitCode.Yes;
            }
            // A refusal after a verdict of yes is a failure to build the machine: an error as any other, and never exit code 0.
            catch (RefusedException refused) when (refused.Report is { Verdict: not Verdict.Yes } report && !parsed.GetValue(json))
            {
                progress.End();
                ReportText.Write(terminal, report);
                terminal.Error.WriteLine("Not one page was sent; the machine was never paused.");
                return ReportText.ExitCodeOf(report.Verdict);
            }
            finally
            {
                progress.End();
            }
        });
        return command;
    }
}
