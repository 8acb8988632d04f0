using Migrate.Model.Hosts;

namespace Migrate.LabGuest.Confusion;

/// <summary>How a prediction and an answer stand to each other.</summary>
public enum Outcome
{
    /// <summary>The kernel answered as predicted.</summary>
    Confirmed = 1,

    /// <summary>Predicted to work, and it did not, or not as predicted.</summary>
    FalseSafe = 2,

    /// <summary>Predicted to fail or to change, and the kernel kept it.</summary>
    FalseUnsafe = 3,

    /// <summary>Refused as predicted, with another errno.</summary>
    OtherErrno = 4,

    /// <summary>Nothing was predicted.</summary>
    Unproven = 5,
}

/// <summary>One prediction held against one answer.</summary>
/// <param name="Outcome">How they stand.</param>
/// <param name="Kind">The kind of state.</param>
/// <param name="Trial">Of which trial.</param>
/// <param name="Subject">What it is about.</param>
/// <param name="Predicted">For people.</param>
/// <param name="Answered">For people.</param>
public sealed record Judged(Outcome Outcome, string Kind, string Trial, string Subject, string Predicted, string Answered)
{
    /// <summary>State, subject, prediction and answer.</summary>
    public override string ToString() => $"{Trial.Replace('\t', ' ')}: {Subject}: predicted {Predicted}, answered {Answered}";
}

/// <summary>Holds predictions against answers, at the level of the pair and at that of each register and part.</summary>
public static class Judgement
{
    /// <summary>The kind of state that stands for the whole machine.</summary>
    public const string Pair = "pair";

    /// <summary>Everything that was predicted of a trial.</summary>
    public static IEnumerable<Judged> Of(Trial trial, Prediction prediction, AnswerLine line) =>
        [OfPair(trial, prediction, line), .. Parts(trial, prediction, line), .. Registers(trial, prediction, line)];

    private static Judged OfPair(Trial trial, Prediction prediction, AnswerLine line)
    {
        var outcome = prediction.Verdict switch
        {
            PairVerdict.Unproven => Outcome.Unproven,
            PairVerdict.Works => line.Planned is { AllDone: true } ? Outcome.Confirmed : Outcome.FalseSafe,
            _ => line.AsCaptured.AnyRefused ? Outcome.Confirmed : Outcome.FalseUnsafe,
        };
        var predicted = prediction.Verdict == PairVerdict.Refused
            ? "Refused, " + string.Join("; ", prediction.Planned.Findings.Where(f => f.Severity == Model.Plans.Severity.Refused).Select(f => $"{f.Subject} {f.Answer}"))
            : prediction.Verdict.ToString();
        var answered = prediction.Verdict == PairVerdict.Refused ? line.AsCaptured.ToString() : line.Planned?.ToString() ?? "nobody tried the plan: record again";
        return new Judged(outcome, Pair, trial.Name, Pair, predicted, answered);
    }

    private static IEnumerable<Judged> Parts(Trial trial, Prediction prediction, AnswerLine line)
    {
        var foundation = line.AsCaptured.Exceptions.Keys.Any(Subjects.IsFoundation);
        foreach (var (part, predicted) in prediction.Parts)
        {
            var answers = line.AsCaptured.Exceptions.Where(e => Subjects.KindOf(e.Key) == part && e.Key.Contains('.', StringComparison.Ordinal)).Select(e => e.Value).ToList();
            if (foundation && answers.Count == 0) continue;
            var outcome = predicted switch
            {
                null => Outcome.Unproven,
                "" => answers.Count == 0 ? Outcome.Confirmed : Outcome.FalseSafe,
                _ when answers.Count == 0 => Outcome.FalseUnsafe,
                _ => answers.Contains(predicted) ? Outcome.Confirmed : Outcome.OtherErrno,
            };
            yield return new Judged(outcome, part, trial.Name, part, predicted is null ? "nothing" : predicted.Length == 0 ? "done" : predicted,
                answers.Count == 0 ? "done" : string.Join(' ', answers));
        }
    }

    private static IEnumerable<Judged> Registers(Trial trial, Prediction prediction, AnswerLine line)
    {
        if (line.AsCaptured.Exceptions.Keys.Any(Subjects.IsFoundation)) yield break;
        foreach (var (vcpu, (id, written), predicted, atEnd) in prediction.Registers)
        {
            var subject = Subjects.Of(vcpu, id);
            var answer = line.AsCaptured.Exceptions.GetValueOrDefault(subject);
            var end = atEnd is { } value && value != written && !Subjects.Moves(id) ? "=" + value.ToShortString() : null;
            var outcome = predicted.Kind switch
            {
                AnswerKind.Unproven => Outcome.Unproven,
                AnswerKind.Volatile => answer is null || !Answers.IsRefusal(answer) ? Outcome.Confirmed : Outcome.FalseSafe,
                AnswerKind.Kept or AnswerKind.Changed => answer == end ? Outcome.Confirmed : answer is null ? Outcome.FalseUnsafe : Outcome.FalseSafe,
                _ when answer is null || !Answers.IsRefusal(answer) => Outcome.FalseUnsafe,
                _ => answer == Answers.Errno(predicted.Errno) ? Outcome.Confirmed : Outcome.OtherErrno,
            };
            yield return new Judged(outcome, Subjects.KindOf(id), trial.Name, $"{subject} {written.ToShortString()}",
                predicted.Errno != 0 ? Answers.Errno(predicted.Errno) : end ?? predicted.Kind.ToString(), answer ?? "Kept");
        }
    }
}

/// <summary>Counts what was judged.</summary>
public sealed class ConfusionCount
{
    private readonly SortedDictionary<string, int[]> _kinds = new(StringComparer.Ordinal);
    private readonly List<Judged> _wrong = [];

    /// <summary>What was not confirmed, unproven aside.</summary>
    public IReadOnlyList<Judged> Wrong => _wrong;

    /// <summary>Trials judged.</summary>
    public int Trials => Of(Judgement.Pair);

    /// <summary>Registers judged.</summary>
    public int Registers => _kinds.Where(k => k.Key != Judgement.Pair && !_parts.Contains(k.Key)).Sum(k => k.Value.Sum());

    private readonly HashSet<string> _parts = [];

    /// <summary>Adds a trial.</summary>
    public void Add(IEnumerable<Judged> judged)
    {
        foreach (var one in judged)
        {
            if (!_kinds.TryGetValue(one.Kind, out var counts)) _kinds[one.Kind] = counts = new int[6];
            counts[(int)one.Outcome]++;
            if (one.Kind == one.Subject) _parts.Add(one.Kind);
            if (one.Outcome is Outcome.FalseSafe or Outcome.FalseUnsafe or Outcome.OtherErrno) _wrong.Add(one);
        }
    }

    /// <summary>Those of one outcome.</summary>
    public IReadOnlyList<Judged> Those(Outcome outcome) => [.. _wrong.Where(w => w.Outcome == outcome)];

    /// <summary>A line for each kind of state.</summary>
    public IEnumerable<string> Lines() => _kinds.Select(k =>
        $"{k.Key}: {k.Value.Sum()} predictions, {k.Value[(int)Outcome.Confirmed]} confirmed, {k.Value[(int)Outcome.FalseSafe]} false-safe, "
        + $"{k.Value[(int)Outcome.FalseUnsafe]} false-unsafe, {k.Value[(int)Outcome.OtherErrno]} other errno, {k.Value[(int)Outcome.Unproven]} unproven");

    private int Of(string kind) => _kinds.TryGetValue(kind, out var counts) ? counts.Sum() : 0;
}
