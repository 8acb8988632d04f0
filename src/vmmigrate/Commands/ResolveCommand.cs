using System.CommandLine;
using Migrate.Cli.Output;
using Migrate.Cli.Sources;
using Migrate.Model;
using Migrate.Model.Encoding;
using Migrate.Transfer.Agent;
using Migrate.Transfer.Handover;
using Migrate.Transfer.Send;

namespace Migrate.Cli.Commands;

/// <summary><c>vmmigrate resolve [ID]</c>: finds out which side runs a machine, and ends the handover.</summary>
internal static class ResolveCommand
{
    public static Command Build(Terminal terminal)
    {
        var id = new Argument<string?>("ID") { Description = "The handover's id; without it, the handovers of this host are listed.", Arity = ArgumentArity.ZeroOrOne };
        var here = new Option<bool>("--run-here") { Description = "Where nothing can be proven: you know that the destination does not run it; run it here." };
        var discard = new Option<bool>("--discard") { Description = "Where nothing can be proven: you know that the destination runs it; destroy it here." };
        var timeout = Options.Time("--outcome-timeout", "How long the agent is asked.", TimeSpan.FromSeconds(10));
        var json = Options.Json();
        var command = new Command("resolve", "End a handover that was cut short: ask both sides which one runs the machine, and do what follows.") { id, here, discard, timeout, json };
        command.SetAction(parsed =>
        {
            var state = HandoverState.Open();
            if (parsed.GetValue(id) is not { } wanted) return List(terminal, state, parsed.GetValue(json));
            if (parsed.GetValue(here) && parsed.GetValue(discard)) throw new UsageException("--run-here and --discard exclude each other", "resolve");
            if (state.Source.Find(wanted) is null && state.Destination.Find(wanted) is not null)
            {
                var settled = DestinationResolver.Resolve(state, wanted);
                terminal.Out.WriteLine(parsed.GetValue(json)
                    ? JsonEncoding.Encode(HandoverRecords.Destination, settled.Record)
                    : $"{settled.Record.VmName}: {Words(settled.Outcome)}");
                return settled.Outcome == Outcome.Unknown ? ExitCode.Unknown : ExitCode.Yes;
            }
            var word = parsed.GetValue(here) ? OperatorsWord.RunHere : parsed.GetValue(discard) ? OperatorsWord.Discard : OperatorsWord.None;
            var progress = new SendProgress(terminal);
            var resolution = Resolver.Resolve(state, wanted, word, parsed.GetValue(timeout).Value, progress.Tell);
            progress.End();
            if (parsed.GetValue(json)) terminal.Out.WriteLine(JsonEncoding.Encode(HandoverRecords.Source, resolution.Record));
            else terminal.Out.WriteLine($"{resolution.Record.VmName}: {Words(resolution.State)}");
            if (resolution.Overrode.Length > 0) terminal.Error.WriteLine($"on your word, over: {resolution.Overrode}");
            return ExitCode.Yes;
        });
        return command;
    }

    private static string Words(Outcome outcome) => outcome switch
    {
        Outcome.Running => "runs here, received under this handover",
        Outcome.Never => "never ran here and never will under this handover; the source keeps it",
        Outcome.Pending => "is being received now",
        _ => "cannot be proven: START was recorded and its process is gone; decide at the source with --run-here or --discard",
    };

    private static string Words(SourceState state) => state switch
    {
        SourceState.Done => "runs at the destination; the source's copy is destroyed",
        SourceState.Kept => "runs here, or did when it was last seen; the destination never will under this handover",
        SourceState.Discarded => "the source's copy is destroyed",
        _ => KebabCase.Of(state.ToString()),
    };

    private static int List(Terminal terminal, Transfer.Handover.StateDirectory state, bool json)
    {
        var sent = state.Source.Ids().Select(i => state.Source.Find(i)!).ToList();
        var received = state.Destination.Ids().Select(i => state.Destination.Find(i)!).ToList();
        if (json)
        {
            foreach (var record in sent) terminal.Out.WriteLine(JsonEncoding.Encode(HandoverRecords.Source, record, indented: false));
            foreach (var record in received) terminal.Out.WriteLine(JsonEncoding.Encode(HandoverRecords.Destination, record, indented: false));
            return ExitCode.Yes;
        }
        if (sent.Count + received.Count == 0) terminal.Out.WriteLine($"No handovers in {state.Root}.");
        else
        {
            terminal.Write(["Handover", "Machine", "Direction", "State", "Agent", "Time"],
            [
                .. sent.Select(r => (IReadOnlyList<string>)[r.Id, r.VmName, "sent", KebabCase.Of(r.Mark.ToString()), r.AgentAddress, r.Time]),
                .. received.Select(r => (IReadOnlyList<string>)[r.Id, r.VmName, "received", KebabCase.Of(r.Mark.ToString()), "", r.Time]),
            ]);
        }
        return ExitCode.Yes;
    }
}
