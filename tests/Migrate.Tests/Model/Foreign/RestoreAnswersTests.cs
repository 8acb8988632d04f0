using System.Globalization;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Registers;

namespace Migrate.Tests.Model.Foreign;

/// <summary>The converted profiles against what real kernels answered when every capture was written into every host.</summary>
public class RestoreAnswersTests(ITestOutputHelper output)
{
    [Fact]
    public void No_write_that_a_kernel_refused_or_changed_is_predicted_to_be_kept()
    {
        var mismatches = Mismatches();
        foreach (var group in mismatches.GroupBy(m => (m.Safe, m.Host, m.Register)).OrderBy(g => g.Key.Safe))
            output.WriteLine($"{(group.Key.Safe ? "false-safe" : "false-unsafe")} {group.Key.Host} {RegisterCatalog.Name(group.Key.Register)} x{group.Count()}: {group.First()}");
        Assert.Empty(mismatches);
    }

    private readonly record struct Mismatch(bool Safe, string Source, string Host, RegisterId Register, RegisterValue Written, string Predicted, string Answered);

    private static List<Mismatch> Mismatches()
    {
        var mismatches = new List<Mismatch>();
        foreach (var pair in Answers.Read())
        {
            var capture = Captures.All[pair.Source];
            var shape = Captures.Hosts[pair.Host].Shape(capture.Features, GicKind.None);
            Assert.NotNull(shape);
            if (pair.RefusedAt is { } stage)
            {
                if (shape.RefusedAt != stage || shape.Errno != pair.Errno)
                    mismatches.Add(new(true, pair.Source, pair.Host, default, default, $"{shape.RefusedAt} {shape.Errno}", $"{stage} {pair.Errno}"));
                continue;
            }
            var index = new ShapeIndex(shape);
            var current = new Dictionary<RegisterId, RegisterValue>();
            foreach (var (id, value) in capture.ToState().Vcpus[0].Registers)
            {
                var predicted = index.Predict(id, value, register => current.TryGetValue(register, out var known) ? known : null);
                if (predicted.ReadsBack is { } stored) current[id] = stored;
                var refused = pair.Refused.TryGetValue(id, out var errno);
                var changed = pair.Changed.TryGetValue(id, out var got);
                var answered = refused ? $"errno {errno}" : changed ? $"reads {got}" : "kept";
                var right = predicted.Kind switch
                {
                    AnswerKind.Volatile => !refused,
                    AnswerKind.Kept => !refused && !changed,
                    AnswerKind.Changed => changed && predicted.ReadsBack == got,
                    AnswerKind.Refused or AnswerKind.Unknown => refused && predicted.Errno == errno,
                    _ => false,
                };
                var safe = predicted.IsAccepted && (refused || changed);
                if (!right) mismatches.Add(new(safe, pair.Source, pair.Host, id, value, predicted.ToString(), answered));
            }
        }
        return mismatches;
    }
}

/// <summary>What one host answered to one capture.</summary>
internal sealed record PairAnswers(string Source, string Host)
{
    public string? RefusedAt { get; set; }

    public int Errno { get; set; }

    public Dictionary<RegisterId, int> Refused { get; } = [];

    public Dictionary<RegisterId, RegisterValue> Changed { get; } = [];

    public List<RegisterId> Missing { get; } = [];
}

/// <summary>Reads restore-answers.txt; its head explains the lines.</summary>
internal static class Answers
{
    public static IReadOnlyList<PairAnswers> Read()
    {
        var pairs = new Dictionary<(string, string), PairAnswers>();
        foreach (var line in File.ReadLines(Repository.Data("captures", "restore-answers.txt")))
        {
            if (line.StartsWith('#')) continue;
            var words = line.Split(' ');
            if (!pairs.TryGetValue((words[1], words[2]), out var pair)) pairs.Add((words[1], words[2]), pair = new(words[1], words[2]));
            switch (words[0])
            {
                case "X" when RegisterId.TryParse(words[3], out var id) && words[3].Length == 16:
                    pair.Refused.Add(id, -int.Parse(words[4], CultureInfo.InvariantCulture));
                    break;
                case "X":
                    pair.RefusedAt = words[3];
                    pair.Errno = -int.Parse(words[4], CultureInfo.InvariantCulture);
                    break;
                case "D" when RegisterId.TryParse(words[3], out var id):
                    pair.Changed.Add(id, new RegisterValue(ulong.Parse(words[5], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture), id.Size));
                    break;
                case "M" when RegisterId.TryParse(words[3], out var id):
                    pair.Missing.Add(id);
                    break;
                case "T":
                    break;
                default:
                    throw new InvalidDataException(line);
            }
        }
        return [.. pairs.Values];
    }
}
