using System.Text;
using Migrate.Kvm.Handles;
using Migrate.Kvm.State;
using Migrate.Model.Foreign;

namespace Migrate.LabGuest.Jobs;

/// <summary>What this host answers to each recorded capture, written register by register without a plan; the recorded answers must come back.</summary>
internal static class RawAnswersJob
{
    private const string Recorded = "restore-answers.txt";

    /// <summary>Counters and timers: time passes between writing and reading back.</summary>
    private static readonly string[] Clocks = ["603000000013df1a", "603000000013df01", "603000000013df02"];

    public static void Run(JobContext context)
    {
        using var kvm = KvmSystem.Open();
        var answers = new StringBuilder();
        var recorded = File(context, Recorded).Split('\n');
        foreach (var name in context.Inputs.Keys.Where(IsCapture).Order(StringComparer.Ordinal))
        {
            var source = Path.GetFileNameWithoutExtension(name);
            IReadOnlyList<string> lines = [];
            var ran = context.Case($"{source} is answered in full", () =>
            {
                var state = KvmCaptureText.Read(context.Inputs[name].Span, name).ToState();
                lines = RawRestore.Run(kvm, state, source, context.Host);
                CheckFailedException.That(lines.Count > 0 && IsWhole(lines[^1]), "the answers end without a total");
            });
            if (!ran)
                continue;
            context.Pair(source);
            foreach (var line in lines)
                answers.Append(Comparable(line)).Append('\n');
            Compare(context, source, lines, recorded);
        }

        context.Answer("raw-answers.txt", answers.ToString());
    }

    /// <summary>Differences to restore-answers.txt are notes: it was recorded on other patch levels of the same series.</summary>
    private static void Compare(JobContext context, string source, IReadOnlyList<string> lines, string[] recorded)
    {
        var prefix = $" {source} {context.Host} ";
        var before = recorded.Where(line => line.Length > 1 && line.AsSpan(1).StartsWith(prefix)).Select(Comparable).ToHashSet();
        if (before.Count == 0)
            return;
        var now = lines.Select(Comparable).ToHashSet();
        foreach (var line in before.Except(now))
            context.Note($"{Recorded} has, this kernel does not answer: {line}");
        foreach (var line in now.Except(before))
            context.Note($"{Recorded} does not have: {line}");
    }

    /// <summary>A line without the values of clocks, which differ from run to run.</summary>
    private static string Comparable(string line)
    {
        var words = line.Split(' ');
        return words is ["D", _, _, var register, ..] && Clocks.Contains(register) ? string.Join(' ', words[..4]) : line;
    }

    /// <summary>A total, or the refusal of the VM as a whole.</summary>
    private static bool IsWhole(string line) => line.Split(' ') is ["T", ..] or ["X", _, _, "create_vm" or "vcpu_init" or "finalize", _];

    private static bool IsCapture(string name) => name.EndsWith(".all.txt", StringComparison.Ordinal) || name.EndsWith(".min.txt", StringComparison.Ordinal);

    private static string File(JobContext context, string name) => context.Inputs.TryGetValue(name, out var content)
        ? Encoding.ASCII.GetString(content.Span)
        : throw new CheckFailedException($"the lab sent no {name}");
}
