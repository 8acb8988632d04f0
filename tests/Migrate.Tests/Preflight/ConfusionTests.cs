using Migrate.LabGuest.Confusion;
using Migrate.Model;
using Migrate.Model.Encoding;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Preflight;

namespace Migrate.Tests.Preflight;

/// <summary>What the lab's kernels answered to recorded states and to perturbed ones, predicted once more from the recorded states and profiles.</summary>
public class ConfusionTests(ITestOutputHelper output)
{
    private static readonly string[] Files = ["confusion.txt", "confusion-foreign.txt"];

    /// <summary>Host and file of every recording. There must be some.</summary>
    public static TheoryData<string, string> Recordings
    {
        get
        {
            var found = new TheoryData<string, string>();
            foreach (var directory in Directory.GetDirectories(Repository.Data("lab")).Order(StringComparer.Ordinal))
                foreach (var file in Files)
                    if (File.Exists(Path.Combine(directory, file))) found.Add(Path.GetFileName(directory), file);
            return found;
        }
    }

    [Fact]
    public void There_are_recordings_of_several_hosts() => Assert.True(Recordings.Count >= 2);

    [Theory]
    [MemberData(nameof(Recordings))]
    public void No_prediction_is_false_safe(string host, string file)
    {
        var (count, _) = Judge(host, file, profile => profile);
        foreach (var line in count.Lines()) output.WriteLine(line);
        foreach (var wrong in count.Wrong) output.WriteLine($"{wrong.Outcome} {wrong}");
        Assert.True(count.Trials > 100, $"{count.Trials} trials");
        Assert.True(count.Registers > 10_000, $"{count.Registers} registers");
        Assert.Empty(count.Those(Outcome.FalseSafe));
    }

    [Theory]
    [MemberData(nameof(Recordings))]
    public void A_profile_that_takes_everything_is_found_out_at_both_levels(string host, string file)
    {
        var (count, _) = Judge(host, file, profile => profile with
        {
            Shapes = profile.Shapes.Select(s => s with
            {
                Registers = s.Registers.Select(r => r with { Accepts = Acceptance.Any, When = [], Stored = StoredAs.Unchanged }).ToEquatableArray(),
            }).ToEquatableArray(),
        });
        Assert.Contains(count.Those(Outcome.FalseSafe), w => w.Kind == Judgement.Pair);
        Assert.Contains(count.Those(Outcome.FalseSafe), w => w.Kind == "ID register");
    }

    [Fact]
    public void Lines_are_read_as_they_are_written()
    {
        const string line = "6.12.neoverse-n1/all\tjoint 3: A.B=0x1\tRefused\tTCR2_EL1:ENOENT PIR_EL1@1=0x3 slot.0:EFAULT\tnot executed";
        Assert.Equal(line, AnswerLine.Parse(line).ToString());
        Assert.Throws<FormatException>(() => AnswerLine.Parse("one\ttwo"));
        Assert.Throws<FormatException>(() => Answers.Parse("TCR2_EL1"));
    }

    [Fact]
    public void A_kernel_that_answers_otherwise_is_found_false_safe_and_false_unsafe()
    {
        var host = Recordings.First().Data.Item1;
        var (_, lines) = Judge(host, "confusion.txt", profile => profile);
        var works = lines.First(l => l.Line is { Verdict: PairVerdict.Works, AsCaptured.AllDone: true });
        var refusing = works.Line with { AsCaptured = Answers.Parse("CTR_EL0:EINVAL"), Planned = Answers.Parse("CTR_EL0:EINVAL") };
        Assert.Contains(Judgement.Of(works.Trial, works.Prediction, refusing), j => j is { Outcome: Outcome.FalseSafe, Kind: Judgement.Pair });
        var refused = lines.First(l => l.Line.Verdict == PairVerdict.Refused);
        var taking = refused.Line with { AsCaptured = Answers.Parse("-") };
        Assert.Contains(Judgement.Of(refused.Trial, refused.Prediction, taking), j => j is { Outcome: Outcome.FalseUnsafe, Kind: Judgement.Pair });
    }

    private static (ConfusionCount Count, List<(Trial Trial, Prediction Prediction, AnswerLine Line)> Lines) Judge(
        string host, string file, Func<HostProfile, HostProfile> change)
    {
        var profile = Read<HostProfile>(host, "probe.profile");
        var destination = new PreparedHost(change(profile));
        var states = new Dictionary<string, RecordedState>();
        var trials = new TrialList(profile);
        var count = new ConfusionCount();
        var lines = new List<(Trial, Prediction, AnswerLine)>();
        foreach (var text in File.ReadLines(Repository.Data("lab", host, file)))
        {
            var line = AnswerLine.Parse(text);
            var (key, name) = (line.Trial.Split('\t')[0], line.Trial.Split('\t')[1]);
            if (!states.TryGetValue(key, out var from))
            {
                var parts = key.Split('/');
                states[key] = from = new RecordedState(parts[0], parts[1], Read<MachineState>(parts[0], parts[1] + ".state"), Read<HostProfile>(parts[0], "probe.profile"));
            }
            var trial = trials.Find(from, name);
            Assert.True(trial is not null, $"no trial of {host} is called '{line.Trial}' any more: record again");
            var prediction = Prediction.Of(trial, destination, from.Source);
            lines.Add((trial, prediction, line));
            count.Add(Judgement.Of(trial, prediction, line));
        }
        return (count, lines);
    }

    private static readonly System.Collections.Concurrent.ConcurrentDictionary<string, object> Documents = [];

    private static T Read<T>(string host, string file) where T : class =>
        (T)Documents.GetOrAdd(Repository.Data("lab", host, file), path => DocumentFile.Read(File.ReadAllBytes(path), path).Value);
}
