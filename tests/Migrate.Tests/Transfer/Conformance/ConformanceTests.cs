using System.Runtime.Versioning;
using Migrate.Transfer.Conformance;

namespace Migrate.Tests.Transfer.Conformance;

/// <summary>What conformance says of a machine that keeps its promises, of one that does not, and where it does not begin at all.</summary>
[SupportedOSPlatform("linux")]
public class ConformanceTests
{
    [Theory, InlineData(false), InlineData(true)]
    public void A_machine_that_keeps_every_promise_is_found_to_do_so(bool behindProxy)
    {
        using var stand = new Stand(behindProxy ? Mutants.NoneBehindProxy : Mutants.None);
        var report = stand.Run();
        Assert.Equal([], report.Results.Where(r => r.Outcome != Outcome.Kept).Select(r => $"{r.Promise.Name}: {r.Outcome} {r.Detail}"));
        Assert.Equal(PromiseTable.All.Count, report.Results.Count);
    }

    [Fact]
    public void Every_promise_has_a_mutant_and_every_mutant_a_promise() =>
        Assert.Equal(PromiseTable.All.Select(p => p.Name).Order(), Mutants.All.Select(m => m.Promise).Distinct().Order());
}

/// <summary>Each mutant breaks its promise, is caught by that promise's name, and by no other.</summary>
[SupportedOSPlatform("linux")]
public abstract class MutantTests
{
    private static readonly int Parts = 4;

    /// <summary>Every fourth mutant, so that four classes run at a time: most of a run is waiting.</summary>
    protected static TheoryData<string> Part(int part) => [.. Mutants.All.Select(m => m.ToString()).Where((_, i) => i % Parts == part)];

    protected static void Catch(string name)
    {
        var mutant = Mutants.All.Single(m => m.ToString() == name);
        using var stand = new Stand(mutant);
        var report = stand.Run();
        var others = report.Results.Where(r => r.Outcome != Outcome.Kept && r.Promise.Name != mutant.Promise).Select(r => $"{r.Promise.Name}: {r.Outcome} {r.Detail}");
        Assert.Equal([], others);
        Assert.Equal(Outcome.Broken, Assert.Single(report.Results, r => r.Promise.Name == mutant.Promise).Outcome);
    }
}

public sealed class FirstMutantTests : MutantTests
{
    public static TheoryData<string> Mine => Part(0);

    [Theory, MemberData(nameof(Mine))]
    public void A_broken_promise_is_caught_by_its_name_and_the_others_are_kept(string mutant) => Catch(mutant);
}

public sealed class SecondMutantTests : MutantTests
{
    public static TheoryData<string> Mine => Part(1);

    [Theory, MemberData(nameof(Mine))]
    public void A_broken_promise_is_caught_by_its_name_and_the_others_are_kept(string mutant) => Catch(mutant);
}

public sealed class ThirdMutantTests : MutantTests
{
    public static TheoryData<string> Mine => Part(2);

    [Theory, MemberData(nameof(Mine))]
    public void A_broken_promise_is_caught_by_its_name_and_the_others_are_kept(string mutant) => Catch(mutant);
}

public sealed class FourthMutantTests : MutantTests
{
    public static TheoryData<string> Mine => Part(3);

    [Theory, MemberData(nameof(Mine))]
    public void A_broken_promise_is_caught_by_its_name_and_the_others_are_kept(string mutant) => Catch(mutant);
}
