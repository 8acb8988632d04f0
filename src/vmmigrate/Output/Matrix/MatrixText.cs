using Migrate.Model;
using Migrate.Model.Plans;
using Spectre.Console;

namespace Migrate.Cli.Output.Matrix;

/// <summary>A matrix for people at a terminal: the verdict in the first line, a row a host, reasons by number below, the remedy in the last line.</summary>
internal static class MatrixText
{
    public static void Write(Terminal terminal, MatrixReport report)
    {
        var view = new MatrixView(report);
        WriteHeadline(terminal, view);
        var feature = report.Features.Length > 0 ? $"VMs with {report.Features}" : "the VM that each host creates by default";
        terminal.Out.WriteLine($"policy {KebabCase.Of(report.Policy.ToString())}; {feature}; from row to column");
        List<int> main = [.. Enumerable.Range(0, report.Reasons.Count).Where(r => view.AsMain(r) > 0).OrderByDescending(view.AsMain)];
        WriteGrid(terminal, view, main);
        foreach (var host in report.Hosts.Where(h => h.SameAs.Length > 0)) terminal.Out.WriteLine($"{host.Name} is like {host.SameAs}");
        if (main.Count > 0)
        {
            terminal.Write(["#", "Pairs", "", "Main reason", "Subject", "Here", "There", "The host would answer", "Remedy"], main.Select((r, number) => (IReadOnlyList<string>)
            [
                $"{number + 1}", $"{view.AsMain(r)}", $"{KebabCase.Of(report.Reasons[r].Severity.ToString())}, {KebabCase.Of(report.Reasons[r].Evidence.ToString())}", KebabCase.Of(report.Reasons[r].Code.ToString()), report.Reasons[r].Subject,
                report.Reasons[r].Here, report.Reasons[r].There, report.Reasons[r].Answer, report.Reasons[r].Remedy,
            ]));
        }
        terminal.Out.WriteLine(LastLine(view));
    }

    /// <summary>The verdict and the counts.</summary>
    public static void WriteHeadline(Terminal terminal, MatrixView view)
    {
        var (word, colour) = view.Report.Verdict switch
        {
            Verdict.Yes => ("YES", Color.Green),
            Verdict.No => ("NO", Color.Red),
            _ => ("UNPROVEN", Color.Yellow),
        };
        terminal.Line($"{word}: {view.Headline}", colour);
    }

    /// <summary>No table of the usual kind: it would break the lines of a large fleet.</summary>
    private static void WriteGrid(Terminal terminal, MatrixView view, List<int> main)
    {
        var names = view.Groups.Select((host, g) => view.Members(g) == 1 ? host.Name : $"{host.Name} (and {view.Members(g) - 1} like it)").ToList();
        var label = names.Max(n => n.Length);
        var number = $"{view.Groups.Count}".Length;
        var cells = Enumerable.Range(0, view.Groups.Count).Select(from => Enumerable.Range(0, view.Groups.Count).Select(to => Cell(view.Pair(from, to), main)).ToList()).ToList();
        var width = Math.Max(number, cells.Max(row => row.Max(c => c.Length)));
        terminal.Out.WriteLine();
        terminal.Out.WriteLine($"{new string(' ', number + label + 2)}{string.Concat(Enumerable.Range(1, names.Count).Select(n => "  " + $"{n}".PadRight(width)))}".TrimEnd());
        for (var from = 0; from < names.Count; from++)
            terminal.Out.WriteLine($"{$"{from + 1}".PadLeft(number)}  {names[from].PadRight(label)}{string.Concat(cells[from].Select(c => "  " + c.PadRight(width)))}".TrimEnd());
        terminal.Out.WriteLine();
    }

    private static string Cell(MatrixPair? pair, List<int> main) => pair switch
    {
        null => "-",
        { Verdict: Verdict.Yes } => "yes",
        { Reasons.Count: 0 } => pair.Verdict == Verdict.No ? "NO" : "?",
        _ => $"{(pair.Verdict == Verdict.No ? "NO" : "?")} {main.IndexOf(pair.Reasons[0]) + 1}",
    };

    private static string LastLine(MatrixView view)
    {
        if (view.Report.Verdict == Verdict.Yes) return "Nothing to do.";
        if (view.Report.Verdict == Verdict.Unproven) return "Remedy: probe the hosts for measured answers, or --accept assumed.";
        var best = Enumerable.Range(0, view.Report.Reasons.Count)
            .Where(r => view.Report.Reasons[r] is { Stops: true, Remedy.Length: > 0 })
            .GroupBy(r => view.Report.Reasons[r].Remedy)
            .Select(g => (Remedy: g.Key, Pairs: g.Sum(view.AsMain)))
            .MaxBy(g => g.Pairs);
        return best.Remedy is null ? "Remedy: none; these hosts are not for the same VMs."
            : $"Remedy for {best.Pairs} of {view.Report.No}: {best.Remedy}; vmmigrate explain CODE says more.";
    }
}
