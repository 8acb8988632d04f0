using System.CommandLine;
using System.Text;
using Migrate.Cli.Output;
using Migrate.Cli.Output.Matrix;
using Migrate.Cli.Sources;
using Migrate.Linux.Files;
using Migrate.Model.Encoding;
using Migrate.Preflight.Fleet;

namespace Migrate.Cli.Commands;

/// <summary><c>vmmigrate matrix HOST...</c>: every ordered pair of hosts, the verdict and the main reason.</summary>
internal static class MatrixCommand
{
    /// <summary>As many as the document holds; a page of more than a hundred is for machines.</summary>
    private const int MostHosts = 1024;

    private const UnixFileMode ForEverybody = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    public static Command Build(Terminal terminal)
    {
        var hosts = new Argument<string[]>("HOST") { Description = "A host profile or capture of a host, HOST:PORT of an agent, or a bundled host; at least two.", Arity = ArgumentArity.OneOrMore };
        var features = Options.Features();
        var policy = Options.PolicyOf();
        var accept = Options.Accept();
        var json = Options.Json();
        var html = new Option<string?>("--html") { Description = "Write a page to look at: one file, no network needed. '-' is stdout.", HelpName = "FILE" };
        var command = new Command("matrix", "Say for every ordered pair of hosts whether the VM that one creates survives on the other. Exit code 0: all; 1: some do not; 6: none does not, some are unproven.")
        {
            hosts, features, policy, accept, json, html,
        };
        command.SetAction(parsed =>
        {
            var (texts, page) = (parsed.GetValue(hosts)!, parsed.GetValue(html));
            if (texts.Length is < 2 or > MostHosts) throw new UsageException($"a matrix needs 2 to {MostHosts} hosts, there {(texts.Length == 1 ? "is 1" : $"are {texts.Length}")}", "matrix");
            if (page is not null && parsed.GetValue(json)) throw new UsageException("--json and --html are two forms of one result: give one", "matrix");
            var options = Options.Plan(parsed.GetValue(policy)!, parsed.GetValue(accept)!);
            var report = FleetMatrix.Of(FleetInput.Hosts(texts), parsed.GetValue(features), options,
                terminal.IsLive ? (done, all) => terminal.Error.Write($"\r\x1b[Kmatrix: {done} of {all} pairs") : null);
            if (terminal.IsLive) terminal.Error.Write("\r\x1b[K");
            if (parsed.GetValue(json)) terminal.Out.WriteLine(JsonEncoding.Encode(Documents.Matrix, report));
            else if (page is null) MatrixText.Write(terminal, report);
            else WritePage(terminal, report, page);
            return ReportText.ExitCodeOf(report.Verdict);
        });
        return command;
    }

    private static void WritePage(Terminal terminal, Model.Plans.MatrixReport report, string file)
    {
        var page = MatrixHtml.Of(report, VersionText.Of().Split('\n')[0]);
        if (file == "-")
        {
            terminal.Out.Write(page);
            return;
        }
        DurableFile.WriteAtomically(file, Encoding.UTF8.GetBytes(page), ForEverybody);
        MatrixText.WriteHeadline(terminal, new MatrixView(report));
        terminal.Out.WriteLine($"written to {file}");
    }
}
