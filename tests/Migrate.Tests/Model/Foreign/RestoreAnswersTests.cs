using Migrate.Model;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Registers;

namespace Migrate.Tests.Model.Foreign;

/// <summary>The converted profiles against what real kernels answered when every capture was written into every host.</summary>
public class RestoreAnswersTests(ITestOutputHelper output)
{
    private static readonly IReadOnlyList<RecordedAnswers> Pairs = RecordedAnswers.Read();

    [Fact]
    public void The_answers_are_of_every_ordered_pair()
    {
        Assert.Equal(Captures.All.Count * Captures.Hosts.Count, Pairs.Count);
        Assert.Equal(16, Pairs.Count(pair => pair.RefusedAt is not null));
        foreach (var pair in Pairs.Where(pair => pair.RefusedAt is null))
        {
            Assert.Equal(Captures.All[pair.Source].Listed.Count, pair.Total);
            Assert.Equal(pair.Fails, pair.Refused.Count);
        }
    }

    [Fact]
    public void No_write_that_a_kernel_refused_or_changed_is_predicted_to_be_kept()
    {
        var (judged, wrong) = Judge(shape => shape);
        output.WriteLine($"{judged} writes judged, {wrong.Count(w => w.IsFalseSafe)} false-safe, {wrong.Count(w => !w.IsFalseSafe)} false-unsafe");
        Assert.DoesNotContain(wrong, w => w.IsFalseSafe);
        Assert.Equal(Pairs.Sum(pair => pair.Total), judged);
    }

    [Fact]
    public void Every_write_that_is_wrongly_predicted_to_be_refused_has_a_known_cause()
    {
        var known = File.ReadLines(Repository.Data("captures", "false-unsafe.txt")).Where(line => !line.StartsWith('#')).Select(line => string.Join(' ', line.Split(' ')[..3]));
        var found = Judge(shape => shape).Wrong.Where(w => !w.IsFalseSafe).Select(w => $"{w.Source} {w.Host} {RegisterCatalog.Name(w.Register)}");
        Assert.Equal(known.Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_host_that_lists_what_the_source_lacks_lists_it_in_its_profile()
    {
        var missing = 0;
        foreach (var pair in Pairs)
        {
            if (pair.RefusedAt is not null) continue;
            var capture = Captures.All[pair.Source];
            var shape = new ShapeIndex(Captures.Hosts[pair.Host].Shape(capture.Features, GicKind.None)!);
            foreach (var id in pair.Missing) Assert.NotNull(shape.Find(id));
            missing += pair.Missing.Count;
        }
        Assert.Equal(1448, missing);
    }

    [Fact]
    public void A_profile_that_accepts_everything_is_found_out()
    {
        var wrong = Judge(shape => Change(shape, register => register with { Accepts = Acceptance.Any, When = [] })).Wrong;
        Assert.True(wrong.Count(w => w.IsFalseSafe) > 500);
    }

    [Fact]
    public void A_profile_that_keeps_everything_is_found_out()
    {
        var wrong = Judge(shape => Change(shape, register => register with { Stored = StoredAs.Unchanged })).Wrong;
        Assert.Equal(Pairs.Sum(pair => pair.Changed.Count) - 6, wrong.Count(w => w.IsFalseSafe));
    }

    [Fact]
    public void A_profile_that_accepts_only_its_own_values_is_found_out()
    {
        var wrong = Judge(shape => Change(shape, register => register.Reset is { } reset ? register with { Accepts = Acceptance.Exactly(reset) } : register)).Wrong;
        Assert.True(wrong.Count(w => !w.IsFalseSafe) > 500);
    }

    private static HostShape Change(HostShape shape, Func<RegisterAcceptance, RegisterAcceptance> change) =>
        shape with { Registers = shape.Registers.Select(change).ToEquatableArray() };

    private static (int Judged, List<AnswerJudge.Wrong> Wrong) Judge(Func<HostShape, HostShape> change) =>
        AnswerJudge.Judge(Pairs, host => Captures.Hosts[host], change);
}
