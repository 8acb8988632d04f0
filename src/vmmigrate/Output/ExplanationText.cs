using Migrate.Model;
using Migrate.Model.Explanations;
using Migrate.Model.Plans;

namespace Migrate.Cli.Output;

/// <summary>An explanation for people: a list of codes in short, one code or register in full.</summary>
internal static class ExplanationText
{
    public static void Write(Terminal terminal, Explanation explanation)
    {
        if (explanation.Register is { } register) Write(terminal, explanation.Subject, register);
        else if (explanation.Findings.Count == 1) Write(terminal, explanation.Findings[0]);
        else WriteList(terminal, explanation.Findings);
    }

    private static void WriteList(Terminal terminal, EquatableArray<FindingExplanation> findings)
    {
        terminal.Write(["Code", "Severity", "--accept", "Meaning"], findings.Select(f => (IReadOnlyList<string>)[Code(f.Code), Severities(f), f.Accept.Length > 0 ? f.Accept : "-", f.Meaning]));
        terminal.Out.WriteLine("vmmigrate explain CODE, or REGISTER[.FIELD] [--host PROFILE], says more.");
    }

    private static void Write(Terminal terminal, FindingExplanation finding)
    {
        terminal.Out.WriteLine($"{Code(finding.Code)} ({Severities(finding)})");
        Rows(terminal,
        [
            ("Meaning", finding.Meaning), ("For the guest", finding.Guest), ("What to do", finding.Remedy), ("QEMU", finding.Qemu), ("Firecracker", finding.Firecracker),
            ("Accepting", finding.Accept.Length > 0 ? $"--accept {finding.Accept}: {finding.Accepting}" : finding.Accepting),
        ]);
        if (finding.Rules.Count > 0) terminal.Out.WriteLine($"Found by: {string.Join(", ", finding.Rules.Select(r => r.Name))}");
    }

    private static void Write(Terminal terminal, string subject, RegisterExplanation register)
    {
        terminal.Out.WriteLine($"{subject}: {register.Group}");
        Rows(terminal, [("KVM's id", $"{register.Id} ({register.Id.Size} bytes)"), ("Restored", register.Restored)]);
        if (register.Host is { } host) Write(terminal, host);
        var answered = register.Host is { Fields.Count: > 0 };
        if (!answered && register.Fields.Count > 0)
            terminal.Write(["Field", "Bits", "Values with a name"], register.Fields.Select(f => (IReadOnlyList<string>)[f.Name, f.Bits, f.Words]));
        if (register.Rules.Any(r => !r.OfEvery))
            terminal.Write(["Rule", "Finds", "What it says"], register.Rules.Where(r => !r.OfEvery).Select(r => (IReadOnlyList<string>)[r.Name, string.Join(", ", r.Codes.Select(Code)), r.Says]));
        if (register.Rules.Any(r => r.OfEvery)) terminal.Out.WriteLine($"Rules of every register: {string.Join(", ", register.Rules.Where(r => r.OfEvery).Select(r => r.Name))}");
        if (register.Host is null) terminal.Out.WriteLine("--host PROFILE shows what a host accepts, field by field.");
    }

    private static void Write(Terminal terminal, HostAnswer host)
    {
        terminal.Out.WriteLine($"On {host.Host}, a VM with {host.Features} ({KebabCase.Of(host.Evidence.ToString())}):");
        Rows(terminal, [("New VM", host.New), ("Accepts", host.Accepts), .. host.Notes.Select(n => ("", n))]);
        if (host.Fields.Count > 0)
            terminal.Write(["Field", "Bits", "New VM", "Accepts"], host.Fields.Select(f => (IReadOnlyList<string>)[f.Name, f.Bits, f.New, f.Accepts]));
    }

    /// <summary>Text in full sentences: lines are left to the terminal to break, nothing is cut.</summary>
    private static void Rows(Terminal terminal, IEnumerable<(string Name, string Text)> rows)
    {
        foreach (var (name, text) in rows)
            if (text.Length > 0) terminal.Out.WriteLine($"  {name,-14} {text}");
    }

    private static string Code(FindingCode code) => KebabCase.Of(code.ToString());

    private static string Severities(FindingExplanation finding) => string.Join(", ", finding.Severities.Select(s => KebabCase.Of(s.ToString())));
}
