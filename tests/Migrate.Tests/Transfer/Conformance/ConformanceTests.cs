using System.Runtime.Versioning;
using Migrate.Model.Errors;
using Migrate.Model.Ports;
using Migrate.Tests.Transfer.Wire;
using Migrate.Transfer.Conformance;
using Migrate.Transfer.Machines;
using Migrate.Transfer.Wire;

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
        Assert.True(report.Results.All(r => r.Outcome == Outcome.Kept), Words(report.Results.Where(r => r.Outcome != Outcome.Kept)));
        Assert.Equal(PromiseTable.All, report.Results.Select(r => r.Promise));
        Assert.True(report.Keeps);
    }

    [Fact]
    public void What_must_not_be_lost_is_not_tried_unless_it_may_be()
    {
        using var stand = new Stand(Mutants.None);
        var report = ConformanceRun.Run(stand.SourcePath, new ConformanceOptions { Only = ["destroy-released", "request-time", "states-incoming", "destroy-running", "error-stands"] });
        Assert.Equal([Outcome.Kept, Outcome.NotTried, Outcome.NotTried, Outcome.NotTried, Outcome.NotTried], report.Results.Select(r => r.Outcome));
        Assert.Equal(LifecycleState.Running, stand.Source.Status.State);
    }

    [Fact]
    public void A_paused_machine_is_paused_again_at_the_end()
    {
        using var stand = new Stand(Mutants.None);
        using (var client = MachineClient.Connect(stand.SourcePath)) client.Pause();
        Assert.True(stand.Run(["pause-stops", "loss-resumes", "release-shown"]).Keeps);
        Assert.Equal((LifecycleState.Paused, false), (stand.Source.Status.State, stand.Machine.IsRunning));
    }

    [Theory, InlineData("conformance-0123", true), InlineData("a-move-of-somebody", false)]
    public void A_machine_that_a_killed_run_left_released_is_taken_back_and_no_other(string id, bool taken)
    {
        using var stand = new Stand(Mutants.None);
        using (var client = MachineClient.Connect(stand.SourcePath))
        using (var session = client.OpenSource())
        {
            session.Quiesce();
            session.Release(id);
        }
        if (taken) Assert.True(stand.Run(["error-stands"]).Keeps);
        else Assert.Equal(ErrorCode.WrongState, Assert.Throws<MigrateException>(() => stand.Run(["error-stands"])).Code);
        Assert.Equal(taken ? LifecycleState.Running : LifecycleState.Released, stand.Source.Status.State);
    }

    [Fact]
    public void A_machine_that_somebody_holds_is_left_alone()
    {
        using var stand = new Stand(Mutants.None);
        using var client = MachineClient.Connect(stand.SourcePath);
        using var session = client.OpenSource();
        Assert.Equal(ErrorCode.Busy, Assert.Throws<MigrateException>(() => stand.Run()).Code);
        session.Collect(session.NewBitmap());
    }

    [Fact]
    public void A_place_is_no_machine_and_a_machine_no_place()
    {
        using var stand = new Stand(Mutants.None);
        Assert.Equal(ErrorCode.WrongState, Assert.Throws<MigrateException>(() => ConformanceRun.Run(stand.IncomingPath, new ConformanceOptions())).Code);
        var error = Assert.Throws<MigrateException>(() => ConformanceRun.Run(stand.SourcePath, new ConformanceOptions { Incoming = stand.SourcePath }));
        Assert.Equal(ErrorCode.WrongState, error.Code);
    }

    [Fact]
    public void A_promise_that_does_not_exist_is_refused_by_its_name()
    {
        using var stand = new Stand(Mutants.None);
        var error = Assert.Throws<MigrateException>(() => stand.Run(["error-stands", "to-be-good"]));
        Assert.Equal(ErrorCode.Usage, error.Code);
        Assert.Contains("to-be-good", error.Message);
    }

    [Fact]
    public void A_guest_that_writes_nothing_leaves_its_promises_untried_and_not_kept()
    {
        using var stand = new Stand(Mutants.None with { Machine = m => new Idle(m) });
        Assert.All(stand.Run(["memory-shared", "dirty-complete", "dirty-again", "dirty-consumed", "unquiesce-runs"]).Results, r => Assert.Equal(Outcome.NotTried, r.Outcome));
    }

    [Fact]
    public void The_specification_has_the_same_table()
    {
        var text = File.ReadAllText(Path.Combine(Repository.Root, "schemas", "machine-socket.md"));
        var table = text[text.IndexOf("\n## Conformance\n", StringComparison.Ordinal)..];
        var rows = table.Split('\n').Where(l => l.StartsWith("| `", StringComparison.Ordinal)).ToList();
        Assert.Equal(PromiseTable.All.Select(p => $"| `{p.Name}` | {p.Sentence} | {p.Section} |"), rows);
        Assert.All(PromiseTable.All.Select(p => p.Section).Distinct(), section => Assert.Contains($"\n## {section}\n", text));
    }

    [Fact]
    public void The_bytes_in_the_specification_are_those_that_are_sent()
    {
        var text = File.ReadAllText(Path.Combine(Repository.Root, "schemas", "machine-socket.md"));
        var error = ErrorMessage.Of(new MigrateException(ErrorCode.WrongState, "machine vm is running"));
        Assert.Equal(FrameBytes.Preamble(StreamPurpose.Machine), Example("preamble"));
        Assert.Equal(FrameBytes.Of(FrameKind.Throttle, MachineMessages.Percent, 20), Example("throttle"));
        Assert.Equal(FrameBytes.Of(FrameKind.Done), Example("done"));
        Assert.Equal(FrameBytes.Of(FrameKind.Error, ErrorMessage.Shape, error), Example("error"));

        // From a name at the beginning of a line to the next name: lines that begin with a blank belong to the same frame.
        byte[] Example(string name)
        {
            var lines = text.Split('\n').SkipWhile(l => !l.StartsWith(name + "   ", StringComparison.Ordinal)).ToList();
            var own = lines.Skip(1).TakeWhile(l => l.StartsWith("   ", StringComparison.Ordinal)).Prepend(lines[0][name.Length..]);
            return Convert.FromHexString(string.Concat(own).Replace(" ", ""));
        }
    }

    [Fact]
    public void Every_promise_has_a_mutant_and_every_mutant_a_promise() =>
        Assert.Equal(PromiseTable.All.Select(p => p.Name).Order(), Mutants.All.Select(m => m.Promise).Distinct().Order());

    internal static string Words(IEnumerable<PromiseResult> results) => string.Join('\n', results.Select(r => $"{r.Promise.Name}: {r.Outcome} {r.Detail}"));

    /// <summary>A machine of whose writes nothing is seen.</summary>
    private sealed class Idle(IMachine inner) : PassingMachine(inner)
    {
        public override void CollectDirty(int slot, Span<ulong> bitmap) => base.CollectDirty(slot, new ulong[bitmap.Length]);
    }
}

/// <summary>Each mutant breaks its promise, is caught by that promise's name, and by no other.</summary>
[SupportedOSPlatform("linux")]
public class MutantTests
{
    /// <summary>Most of a run is waiting, so several go on at a time, whatever the number of processors.</summary>
    private static readonly SemaphoreSlim Places = new(6);

    private static readonly Lazy<Dictionary<string, Task<ConformanceReport>>> Runs = new(() => Mutants.All.ToDictionary(m => m.ToString(), Run));

    public static TheoryData<string> All => [.. Mutants.All.Select(m => m.ToString())];

    [Theory, MemberData(nameof(All))]
    public async Task A_broken_promise_is_caught_by_its_name_and_the_others_are_kept(string name)
    {
        var promise = Mutants.All.Single(m => m.ToString() == name).Promise;
        var report = await Runs.Value[name];
        var others = report.Results.Where(r => r.Outcome != Outcome.Kept && r.Promise.Name != promise).ToList();
        Assert.True(others.Count == 0, ConformanceTests.Words(others));
        Assert.Equal(Outcome.Broken, Assert.Single(report.Results, r => r.Promise.Name == promise).Outcome);
    }

    private static async Task<ConformanceReport> Run(Mutant mutant)
    {
        await Places.WaitAsync();
        try
        {
            return await Task.Factory.StartNew(() => Twice(mutant), TaskCreationOptions.LongRunning);
        }
        finally
        {
            Places.Release();
        }
    }

    /// <summary>Two seconds of patience are little on a machine that others keep busy: what is broken is broken again.</summary>
    private static ConformanceReport Twice(Mutant mutant)
    {
        var first = Report(mutant);
        return first.Results.All(r => (r.Outcome == Outcome.Broken) == (r.Promise.Name == mutant.Promise)) ? first : Report(mutant);
    }

    private static ConformanceReport Report(Mutant mutant)
    {
        using var stand = new Stand(mutant);
        // The other socket is served as it should be, and its promises are tried often enough.
        var side = PromiseTable.All.Single(p => p.Name == mutant.Promise).On;
        return stand.Run([.. PromiseTable.All.Where(p => p.On == side && (p.Cost != Cost.Patience || p.Name == mutant.Promise)).Select(p => p.Name)]);
    }
}
