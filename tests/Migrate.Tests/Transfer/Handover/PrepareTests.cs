using System.Net;
using System.Net.Sockets;
using Migrate.Model.Errors;
using Migrate.Model.Plans;
using Migrate.Simulation.Hosts;
using Migrate.Tests.Simulation;
using Migrate.Transfer.Agent;
using Migrate.Transfer.Handover;
using Migrate.Transfer.Machines;
using Migrate.Transfer.Send;
using Migrate.Transfer.Wire;

namespace Migrate.Tests.Transfer.Handover;

/// <summary>What an agent finds out before the first page comes: then a refusal costs nothing.</summary>
public sealed class PrepareTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly MoveHarness _harness = new();

    public void Dispose() => _harness.Dispose();

    [Fact]
    public void What_the_host_refuses_when_it_is_tried_is_refused_before_the_first_page()
    {
        using var agent = Agent(new AgentOptions(), new SimulatedHost(_harness.Profile.Without(SimulatedProfiles.TpidrEl0)));
        var events = new List<SendEvent>();
        var refused = Assert.Throws<RefusedException>(() => _harness.Send(o => o with { Port = agent.EndPoint.Port }, events.Add));
        Assert.Equal((Verdict.No, Evidence.Tried), (refused.Report!.Verdict, refused.Report.Evidence));
        Assert.Contains(refused.Report.Findings, f => f.Subject == "TPIDR_EL0");
        Assert.DoesNotContain(events, e => e is RoundEvent);
        Assert.DoesNotContain("logging", _harness.SourceStates);
        Assert.True(_harness.Machine.IsRunning);
        Assert.Null(_harness.Incoming);
    }

    [Fact]
    public void What_the_host_takes_when_it_is_tried_moves()
    {
        using var agent = Agent(new AgentOptions(), new SimulatedHost(_harness.Profile));
        _harness.Send(o => o with { Port = agent.EndPoint.Port });
        Assert.True(_harness.Incoming!.Completed!.IsRunning);
    }

    /// <summary>A trial was without a guest: what only assumptions say stays refused without <c>--accept assumed</c>.</summary>
    [Fact]
    public void A_trial_lifts_no_assumption()
    {
        _harness.Profile = _harness.Profile.Assumed();
        using var agent = Agent(new AgentOptions(), new SimulatedHost(_harness.Profile));
        Assert.Equal(Verdict.Unproven, Assert.Throws<RefusedException>(() => _harness.Send(o => o with { Port = agent.EndPoint.Port })).Report!.Verdict);
        _harness.Send(o => o with { Port = agent.EndPoint.Port, AcceptAssumed = true });
        Assert.True(_harness.Incoming!.Completed!.IsRunning);
    }

    [Theory]
    [InlineData("web-1.example_x", "web-1.example_x")]
    [InlineData("--sabotage", "sabotage")]
    [InlineData("@file", "_file")]
    [InlineData("x;curl h|sh;$(a),b=c d", "x_curl_h_sh___a__b_c_d")]
    [InlineData("", "vm")]
    public void A_name_from_outside_is_only_a_name_in_a_command(string name, string plain) => Assert.Equal(plain, LaunchedIncoming.Plain(name));

    [Fact]
    public void Of_machines_that_are_gone_the_latest_logs_stay()
    {
        var directory = Directory.CreateDirectory(_harness.PathOf("logs")).FullName;
        for (var i = 0; i < 40; i++)
        {
            var log = Path.Combine(directory, $"incoming-mine-{i:00}.log");
            File.WriteAllText(log, "");
            File.SetLastWriteTimeUtc(log, DateTime.UnixEpoch.AddDays(i));
        }
        File.WriteAllText(Path.Combine(directory, "incoming-mine-00.sock"), "");
        File.WriteAllText(Path.Combine(directory, "incoming-yours-00.log"), "");
        Assert.ThrowsAny<MigrateException>(() => new LaunchedIncoming("/bin/false", [], directory, "mine", Patience).Obtain(_harness.Machine.Describe().State.Vm));
        var left = Directory.GetFiles(directory, "*.log").Select(Path.GetFileName).Where(l => File.GetLastWriteTimeUtc(Path.Combine(directory, l!)).Year == 1970).Order();
        Assert.Equal(["incoming-mine-00.log", .. Enumerable.Range(24, 16).Select(i => $"incoming-mine-{i}.log")], left);
    }

    [Fact]
    public void What_would_be_refused_only_after_it_was_offered_is_found_before_the_stop()
    {
        var events = new List<SendEvent>();
        // As if the machine had changed: what it is now does not fit any more.
        _harness.At["source:copying"] = () => _harness.Profile = _harness.Profile with { IpaSizes = [32] };
        var refused = Assert.Throws<MigrateException>(() => _harness.Send(null, events.Add));
        Assert.Equal((ErrorCode.Refused, Stage.PreCopy, true), (refused.Code, refused.Stage, refused.SourceRuns));
        Assert.Contains("as it is now: ipa-size", refused.Message);
        Assert.DoesNotContain(events, e => e is StoppedEvent);
        Assert.DoesNotContain("quiesced", _harness.SourceStates);
        Assert.True(_harness.Machine.IsRunning);
    }

    [Fact]
    public void A_machine_that_needs_more_memory_than_there_is_stays_where_it_is()
    {
        using var agent = Agent(new AgentOptions { AvailableMemory = () => 7 << 20 });
        var refused = Assert.Throws<RefusedException>(() => _harness.Send(o => o with { Port = agent.EndPoint.Port }));
        Assert.Equal((ErrorCode.Refused, Stage.Prepare), (refused.Code, refused.Stage));
        Assert.Contains("has 8 MiB of memory; 7 MiB are available here", refused.Message);
        Assert.Contains("--overcommit", refused.Remedy);
        Assert.True(refused.IsTransient);
        Assert.DoesNotContain("logging", _harness.SourceStates);
        Assert.True(_harness.Machine.IsRunning);
    }

    [Fact]
    public void Memory_is_promised_to_a_machine_that_is_still_arriving()
    {
        using var agent = Agent(new AgentOptions { AvailableMemory = () => 15 << 20 });
        using (var first = AgentClient.Connect("127.0.0.1", agent.EndPoint.Port, Patience))
        {
            _harness.Offer(first, HandoverId.New());
            var refused = Assert.Throws<RefusedException>(() => _harness.Send(o => o with { Port = agent.EndPoint.Port }));
            Assert.Contains("15 MiB are available here, and machines that are arriving still need 8 MiB of them", refused.Message);
        }
        Assert.True(SpinWait.SpinUntil(() => agent.Status.Moves.Count == 0, Patience));
        _harness.Send(o => o with { Port = agent.EndPoint.Port });
        Assert.True(_harness.Incoming!.Completed!.IsRunning);
    }

    [Fact]
    public void A_peer_that_says_a_byte_now_and_then_is_not_waited_for()
    {
        using var agent = Agent(new AgentOptions { GreetingTimeout = TimeSpan.FromMilliseconds(400) });
        using var slow = new TcpClient { NoDelay = true };
        slow.Connect(new IPEndPoint(IPAddress.Loopback, agent.EndPoint.Port));
        var preamble = new byte[Preamble.Size];
        Preamble.For(StreamPurpose.Transfer).CopyTo(preamble);
        var sent = 0;
        Assert.Throws<IOException>(() =>
        {
            for (; sent < preamble.Length; sent++)
            {
                slow.GetStream().Write(preamble.AsSpan(sent, 1));
                Thread.Sleep(300);
            }
        });
        Assert.True(sent < preamble.Length);
    }

    [Fact]
    public void A_vmm_that_waits_for_nobody_is_ended_and_one_that_runs_a_machine_is_not()
    {
        Assert.False(LeftoverVmm.End(_harness.SourceVmm.Path, TimeSpan.Zero));
        Assert.True(_harness.Machine.IsRunning);
        using (var client = MachineClient.Connect(_harness.IncomingVmm.Path))
        {
            using var session = client.OpenIncoming();
            Assert.False(LeftoverVmm.End(_harness.IncomingVmm.Path, TimeSpan.Zero));
        }
        Assert.True(LeftoverVmm.End(_harness.IncomingVmm.Path, Patience));
        Assert.True(SpinWait.SpinUntil(() => _harness.IncomingVmm.Destroyed.IsCompleted, Patience));
        Assert.False(LeftoverVmm.End(_harness.PathOf("nobody.sock"), Patience));
    }

    [Fact]
    public void A_launcher_finds_again_what_it_left_and_nothing_of_others()
    {
        var directory = Directory.CreateDirectory(_harness.PathOf("machines")).FullName;
        foreach (var name in new[] { "incoming-mine-1.sock", "incoming-mine-1.log", "incoming-yours-1.sock", "vm.sock" }) File.WriteAllText(Path.Combine(directory, name), "");
        var launcher = new LaunchedIncoming("/bin/true", [], directory, "mine", Patience);
        Assert.Equal([Path.Combine(directory, "incoming-mine-1.sock")], launcher.Leftovers());
    }

    private RestoreAgent Agent(AgentOptions options, SimulatedHost? scratch = null) =>
        new(options, new StateDirectory(_harness.PathOf("own-agent")), _harness, new AttachedIncoming(_harness.IncomingVmm.Path), scratch);
}
