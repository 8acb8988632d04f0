using System.CommandLine;
using Migrate.Cli.Output;
using Migrate.Cli.Sources;
using Migrate.Model.Errors;
using Migrate.Transfer.Handover;
using Migrate.Transfer.Send;

namespace Migrate.Cli.Commands;

/// <summary><c>vmmigrate cancel ID|MACHINE</c>: ends a move that is not handed over yet; the source keeps running.</summary>
internal static class CancelCommand
{
    public static Command Build(Terminal terminal)
    {
        var what = new Argument<string>("WHAT") { Description = "A handover's id, or the name of the machine that moves." };
        var command = new Command("cancel", "End a move that is under way; the machine goes on at the source. Too late once it is released.") { what };
        command.SetAction(parsed =>
        {
            var record = Find(HandoverState.Open(), parsed.GetValue(what)!);
            var endpoint = Endpoint.Parse(record.AgentAddress);
            new AgentClient(endpoint.Host, endpoint.Port).Cancel(record.Id);
            terminal.Out.WriteLine($"{record.VmName}: handover {record.Id} cancelled; the source goes on");
            return ExitCode.Yes;
        });
        return command;
    }

    private static HandoverRecord<SourceMark> Find(Transfer.Handover.StateDirectory state, string what)
    {
        if (HandoverId.IsValid(what))
            return state.Source.Find(what) ?? throw new MigrateException(ErrorCode.NotFound, $"no handover {what} began on this host");
        var moving = state.Source.Ids().Select(id => state.Source.Find(id)!).Where(r => r.VmName == what && r.Mark == SourceMark.Begun).ToList();
        return moving.Count == 1
            ? moving[0]
            : throw new MigrateException(ErrorCode.NotFound, moving.Count == 0 ? $"no move of a machine '{what}' is under way" : $"several moves of a machine '{what}' are recorded: {string.Join(", ", moving.Select(r => r.Id))}");
    }
}
