using System.CommandLine;
using Migrate.Cli.Output;
using Migrate.Cli.Sources;
using Migrate.Model.Encoding;
using Migrate.Preflight.Explain;

namespace Migrate.Cli.Commands;

/// <summary><c>vmmigrate explain CODE|REGISTER[.FIELD]</c>: what it means, why it matters, what to do.</summary>
internal static class ExplainCommand
{
    public static Command Build(Terminal terminal)
    {
        var what = new Argument<string?>("WHAT")
        {
            Description = "A finding code, or a register by name, encoding or KVM's id, with .FIELD for one field; none: all codes.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var host = new Option<string?>("--host") { Description = "Show what this host accepts for the register: a profile, HOST:PORT of an agent, or a bundled host.", HelpName = "HOST" };
        var features = Options.Features();
        var json = Options.Json();
        var command = new Command("explain", "Say what a finding code or a register means, why it matters to the guest, and what to do.") { what, host, features, json };
        command.SetAction(parsed =>
        {
            var (subject, asked) = (parsed.GetValue(what), parsed.GetValue(host));
            if (asked is null && parsed.GetValue(features) is not null) throw new UsageException("--features says which VM of a host is meant: give --host as well", "explain");
            if (subject is null && asked is not null) throw new UsageException("--host says whose answers about a register are wanted: name a register", "explain");
            var explanation = subject is null ? Explainer.Codes() : Explainer.Of(subject, asked is null ? null : FleetInput.Host(asked), parsed.GetValue(features));
            if (parsed.GetValue(json)) terminal.Out.WriteLine(JsonEncoding.Encode(Documents.Explanation, explanation));
            else ExplanationText.Write(terminal, explanation);
            return ExitCode.Yes;
        });
        return command;
    }
}
