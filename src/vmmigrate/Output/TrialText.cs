using Migrate.Linux;
using Migrate.Model.Plans;
using Migrate.Model.Registers;

namespace Migrate.Cli.Output;

/// <summary>A dry run for people.</summary>
internal static class TrialText
{
    /// <summary>More parts than this that were not tried for one reason are counted.</summary>
    private const int Shown = 8;

    /// <summary>What was tried, what was not, and where plan and host disagree.</summary>
    public static void Write(Terminal terminal, CheckReport report, TrialReport trial)
    {
        terminal.Out.WriteLine(
            $"dry run: {Count(trial.Executed, "step")} on a scratch VM of that host, {trial.Failed.Count} refused; "
            + $"{Count(trial.Compared, "register")} read back, {trial.Differences.Count} otherwise than planned; the VM was thrown away");
        var refused = report.Findings.Count(f => f.Severity == Severity.Refused && f.Evidence != Evidence.Tried);
        if (refused > 0) terminal.Out.WriteLine($"not executed, because the plan does not write it: {Count(refused, "finding")} below {(refused == 1 ? "was" : "were")} not tried");
        foreach (var alike in trial.Untried.GroupBy(u => u.Why))
        {
            var parts = alike.Select(u => u.What).Distinct().ToList();
            terminal.Out.WriteLine($"not tried: {(parts.Count <= Shown ? string.Join(", ", parts) : Count(parts.Count, "step"))}: {alike.Key}");
        }
        var disagreements = report.Findings.Where(f => f.Predicted.Length > 0).Select(f => f.Subject).Distinct().ToList();
        if (disagreements.Count > 0) terminal.Out.WriteLine($"PREDICTION AND HOST DISAGREE on {string.Join(", ", disagreements)}: the host is right");
    }

    /// <summary>What the host answers to a finding, what the plan had expected where that is something else, and where nobody asked the host.</summary>
    public static string Answer(Finding finding) => finding switch
    {
        { Predicted.Length: > 0 } => $"{finding.Answer} (the plan expected: {finding.Predicted})",
        { Answer.Length: > 0, Evidence: not Evidence.Tried } => $"{finding.Answer} (expected, not tried)",
        _ => finding.Answer,
    };

    /// <summary>What became of each step.</summary>
    public static string[] Answers(RestorePlan plan, TrialReport trial)
    {
        var answers = plan.Steps.Select(step => step is LeaveOut ? "not written" : "done").ToArray();
        for (var i = 0; i < answers.Length; i++)
        {
            if (plan.Steps[i] is not WriteRegister write) continue;
            foreach (var difference in trial.Differences)
                if (difference.Vcpu == write.Vcpu && difference.Id == write.Id)
                    answers[i] = difference.Actual is { } actual ? $"reads back {RegisterText.Describe(write.Id, actual)}" : "cannot be read back";
        }
        foreach (var part in trial.Untried) answers[part.Step] = $"not tried: {part.What}";
        foreach (var failed in trial.Failed)
            answers[failed.Step] = failed.Note.Length == 0 ? LinuxException.NameOf(failed.Errno) : $"{LinuxException.NameOf(failed.Errno)}: {failed.Note}";
        return answers;
    }

    private static string Count(int count, string noun) => count == 1 ? $"1 {noun}" : $"{count} {noun}s";
}
