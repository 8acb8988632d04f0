using Migrate.Model;
using Migrate.Model.Encoding;
using Migrate.Model.Hosts;
using Migrate.Tests.Model.Foreign;

namespace Migrate.Tests.Kvm.Probe;

/// <summary>What a probe measured in the lab, against what the same host answered when foreign captures were written into it register by register.</summary>
public class MeasuredAnswersTests(ITestOutputHelper output)
{
    public static TheoryData<string> Hosts =>
        [.. Directory.GetDirectories(Repository.Data("lab"))
            .Where(d => File.Exists(Path.Combine(d, "probe.profile")) && File.Exists(Path.Combine(d, "raw-answers.txt"))).Select(d => Path.GetFileName(d)!).Order()];

    [Theory]
    [MemberData(nameof(Hosts))]
    public void Predicts_every_answer_of_the_host_that_was_measured(string host)
    {
        var (judged, wrong) = Judge(host);
        output.WriteLine($"{judged} writes judged, {wrong.Count(w => w.IsFalseSafe)} false-safe, {wrong.Count(w => !w.IsFalseSafe)} false-unsafe");
        Assert.True(judged > 1000);
        Assert.Empty(wrong);
    }

    [Theory]
    [MemberData(nameof(Hosts))]
    public void A_measurement_that_took_everything_for_accepted_is_found_out(string host)
    {
        var (_, wrong) = Judge(host, shape => shape with
        {
            Registers = shape.Registers.Select(r => r with { Accepts = Acceptance.Any, When = [] }).ToEquatableArray(),
        });
        Assert.Contains(wrong, w => w.IsFalseSafe);
    }

    private static (int Judged, List<AnswerJudge.Wrong> Wrong) Judge(string host, Func<HostShape, HostShape>? change = null)
    {
        var path = Repository.Data("lab", host, "probe.profile");
        var profile = (HostProfile)DocumentFile.Read(File.ReadAllBytes(path), path).Value;
        return AnswerJudge.Judge(RecordedAnswers.Read(Repository.Data("lab", host, "raw-answers.txt")), _ => profile, change);
    }
}
