using System.Globalization;
using System.Text.Json;
using Migrate.ProcessTests.Harness;
using Migrate.Transfer.Machines;
using Migrate.Transfer.Send;

namespace Migrate.ProcessTests;

/// <summary>Moves between two hosts, as an operator and a script see them.</summary>
public sealed class SendTests(SendTests.Hosts hosts) : IClassFixture<SendTests.Hosts>
{
    // 16 MiB, half of them not zero, at 1 MiB a second: it is copying when it is interrupted.
    private static readonly string[] Slowly = ["--bandwidth", "1M"];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_signal_during_the_copy_cancels_the_move_and_the_source_runs_on(bool terminate)
    {
        using var machine = hosts.Two.StartMachine();
        var send = machine.StartSend(null, Slowly);
        send.WaitFor("destination prepared");
        if (terminate) send.Terminate();
        else send.Interrupt();
        send.Wait().Exited(4);
        AssertCancelled(machine);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Cancel_ends_a_move_by_name_or_id_and_the_source_runs_on(bool byName)
    {
        using var machine = hosts.Two.StartMachine();
        var send = machine.StartSend(null, Slowly);
        send.WaitFor("destination prepared");
        hosts.Two.Source.Run("cancel", byName ? machine.Name : machine.HandoverId).Exited(0);
        send.Wait().Exited(4);
        AssertCancelled(machine);
        hosts.Two.Source.Run("cancel", machine.HandoverId).Exited(2);
    }

    [Fact]
    public void A_signal_after_the_release_is_too_late_and_the_handover_goes_on_to_its_end()
    {
        using var two = new TwoHosts();
        two.StartAgent(killAt: "destination:running:before-record");
        using var machine = two.StartMachine();
        var send = machine.StartSend(null, "--outcome-timeout", "50s");
        send.WaitFor("asking the agent");
        send.Interrupt();
        send.Terminate();
        two.StartAgent();
        send.Wait().Exited(0);
        machine.AssertRunsAt(Side.Destination);
    }

    [Fact]
    public void A_second_send_of_the_same_machine_is_refused_by_the_name_of_the_holder_and_disturbs_nothing()
    {
        using var machine = hosts.Two.StartMachine();
        var first = machine.StartSend(null, Slowly);
        first.WaitFor("destination prepared");
        machine.AwaitAtSource(LifecycleState.Logging);
        var second = machine.Send().Exited(1);
        Assert.Contains($"held by the source session of pid {first.Pid}", second.Error);
        AssertGoesOn(first, machine);
    }

    [Fact]
    public void A_resolve_while_the_sender_works_is_refused_and_disturbs_nothing()
    {
        using var machine = hosts.Two.StartMachine();
        var send = machine.StartSend(null, Slowly);
        send.WaitFor("destination prepared");
        machine.AwaitAtSource(LifecycleState.Logging);
        hosts.Two.Source.Run("resolve", machine.HandoverId, "--run-here", "--outcome-timeout", "100ms").Exited(1);
        AssertGoesOn(send, machine);
    }

    [Fact]
    public void A_move_that_does_not_converge_exits_4_and_the_source_runs_on_at_full_speed()
    {
        using var machine = hosts.Two.StartMachine(null, "--memory", "64M", "--rate", "0");
        var sent = machine.Send(null, "--max-downtime", "1ms", "--timeout", "1s", "--no-throttle", "--bandwidth", "64M").Exited(4);
        Assert.Contains("MiB are left", sent.Error);
        Assert.DoesNotContain("slowed", sent.Error);
        AssertCancelled(machine);
    }

    [Fact]
    public void A_move_that_does_not_converge_by_itself_is_throttled_until_it_does()
    {
        using var machine = hosts.Two.StartMachine(null, "--rate", "400000");
        var sent = machine.Send(null, "--max-downtime", "10ms", "--bandwidth", "64M").Exited(0);
        Assert.Contains("vCPUs slowed by", sent.Error);
        machine.AssertRunsAt(Side.Destination);
    }

    [Fact]
    public void A_refused_move_exits_1_sends_no_page_and_starts_no_machine()
    {
        using var machine = hosts.Two.StartRefusedMachine();
        var sent = machine.Send().Exited(1);
        Assert.StartsWith("NO: ", sent.FirstLine);
        Assert.Contains("Not one page was sent", sent.Error);
        Assert.DoesNotContain("round", sent.Error);
        Assert.Null(machine.AtDestination());
        machine.AssertRunsAt(Side.Source);
        var json = machine.Send(null, "--json").Exited(1);
        using var error = JsonDocument.Parse(json.Out.TrimEnd().Split('\n')[^1]);
        Assert.Equal("refused", error.RootElement.GetProperty("code").GetString());
    }

    [Fact]
    public void Json_is_one_event_a_line_that_ends_with_done()
    {
        using var machine = hosts.Two.StartMachine();
        var sent = machine.Send(null, "--json", "--verify").Exited(0);
        var events = sent.Out.TrimEnd().Split('\n').Select(line => JsonDocument.Parse(line).RootElement).ToList();
        var kinds = events.Select(e => e.GetProperty("kind").GetString()!).ToList();
        string[] frame = ["connected", "verdict", "stopped", "applied", "released", "running", "done"];
        Assert.Equal(frame, kinds.Where(k => k is not ("round" or "throttle")));
        Assert.Contains("round", kinds);
        var report = events[^1].GetProperty("report");
        Assert.Equal(machine.HandoverId, report.GetProperty("handoverId").GetString());
        Assert.True(report.GetProperty("verified").GetBoolean());
        Assert.Empty(sent.Error);
        machine.AssertRunsAt(Side.Destination);
    }

    [Fact]
    public void Verify_says_that_memory_was_verified_and_ps_shows_one_runner()
    {
        using var machine = hosts.Two.StartMachine();
        Assert.Contains("memory verified", machine.Send(null, "--verify").Exited(0).FirstLine);
        machine.AssertRunsAt(Side.Destination);
        Assert.Equal("running", Assert.Single(States(hosts.Two.Destination, machine)));
        Assert.DoesNotContain("running", States(hosts.Two.Source, machine));
    }

    [Fact]
    public void Bandwidth_is_not_exceeded()
    {
        const ulong limit = 8 << 20;
        using var machine = hosts.Two.StartMachine(null, "--fill", "1");
        var sent = machine.Send(null, "--json", "--bandwidth", "8M").Exited(0);
        using var done = JsonDocument.Parse(sent.Out.TrimEnd().Split('\n')[^1]);
        var text = done.RootElement.GetProperty("report").GetProperty("throughput").GetString()!;
        var throughput = ulong.Parse(text.StartsWith("0x", StringComparison.Ordinal) ? text[2..] : text, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        Assert.InRange(throughput, 1UL, limit + (limit / 4));
    }

    /// <summary>By the words that ps prints for scripts.</summary>
    private static List<string> States(Vmmigrate host, Moving machine)
    {
        using var machines = JsonDocument.Parse(host.Run("ps", "--json").Exited(0).Out);
        return [.. machines.RootElement.GetProperty("machines").EnumerateArray()
            .Where(m => m.TryGetProperty("vmId", out var id) && id.GetString() == machine.VmId).Select(m => m.GetProperty("state").GetString()!)];
    }

    private static void AssertCancelled(Moving machine)
    {
        machine.AssertRunsAt(Side.Source);
        Assert.Equal(SourceMark.Kept, machine.Record.Mark);
        machine.AssertNeverAtDestination();
    }

    /// <summary>A sender that was copying still is: it can be cancelled.</summary>
    private static void AssertGoesOn(Running send, Moving machine)
    {
        send.Interrupt();
        Assert.Contains("cancelled by the operator", send.Wait().Exited(4).Error);
        AssertCancelled(machine);
    }

    /// <summary>Both hosts of all moves.</summary>
    public sealed class Hosts : IDisposable
    {
        public Hosts() => Two.StartAgent();

        internal TwoHosts Two { get; } = new();

        public void Dispose() => Two.Dispose();
    }
}
