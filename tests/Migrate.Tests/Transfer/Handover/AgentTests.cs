using System.Net;
using System.Net.Sockets;
using Migrate.Model.Errors;
using Migrate.Model.Plans;
using Migrate.Tests.Simulation;
using Migrate.Transfer.Agent;
using Migrate.Transfer.Handover;
using Migrate.Transfer.Receive;
using Migrate.Transfer.Send;
using Migrate.Transfer.Wire;

namespace Migrate.Tests.Transfer.Handover;

public class AgentTests
{
    [Fact]
    public void Goes_on_serving_whatever_connections_say()
    {
        using var harness = new MoveHarness();
        var random = new Random(5);
        for (var i = 0; i < 60; i++)
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            socket.Connect(harness.Agent.EndPoint);
            var bytes = new byte[random.Next(0, 400)];
            random.NextBytes(bytes);
            // Half of them begin as a sender does, and go wrong later.
            if (i % 2 == 0)
            {
                var preamble = new byte[Preamble.Size];
                Preamble.For(StreamPurpose.Transfer).CopyTo(preamble);
                socket.Send(preamble);
            }
            if (i % 3 == 0) socket.LingerState = new LingerOption(true, 0);
            try
            {
                socket.Send(bytes);
            }
            catch (SocketException)
            {
                // It has heard enough.
            }
        }
        harness.Send();
        Assert.Equal(DestinationMark.Running, harness.DestinationRecord.Mark);
    }

    /// <summary>Its first record is due when the source has let go: too late to find out.</summary>
    [Fact]
    public void A_destination_that_cannot_record_refuses_before_the_first_page()
    {
        using var harness = new MoveHarness();
        var records = Path.Combine(harness.PathOf("agent-state"), "handovers", "destination");
        harness.At["destination:planning"] = () =>
        {
            Directory.Move(records, records + "-away");
            File.WriteAllText(records, "");
        };
        var refused = Assert.ThrowsAny<MigrateException>(() => harness.Send());
        Assert.Contains("handovers/destination", refused.Message);
        Assert.True(harness.Machine.IsRunning);
        Assert.DoesNotContain("quiesced", harness.SourceStates);
        File.Delete(records);
        Directory.Move(records + "-away", records);
        harness.At.Clear();
        harness.Send();
        Assert.Equal(DestinationMark.Running, harness.DestinationRecord.Mark);
    }

    [Theory]
    [InlineData(FrameKind.Start)]
    [InlineData(FrameKind.Final)]
    [InlineData(FrameKind.RoundEnd)]
    [InlineData(FrameKind.Running)]
    public void A_frame_that_has_no_place_ends_the_session_and_names_it(FrameKind kind)
    {
        using var harness = new MoveHarness();
        using var channel = AgentClient.Connect("127.0.0.1", harness.Agent.EndPoint.Port, TimeSpan.FromSeconds(10));
        channel.Send(FrameKind.Hello, TransferMessages.Hello, new Hello(HandoverId.New()));
        channel.Expect(FrameKind.Welcome, TransferMessages.Welcome);
        channel.Send(kind, TransferMessages.Round, 1);
        var error = Assert.Throws<PeerErrorException>(() => channel.Receive());
        Assert.Equal(ErrorCode.Protocol, error.Code);
        Assert.Contains(FrameTable.Of(kind).Name, error.Message);
        Assert.Equal(harness.Agent.AgentId, Client(harness).Status().AgentId);
    }

    [Fact]
    public void Start_before_anything_is_applied_starts_nothing()
    {
        using var harness = new MoveHarness();
        using var channel = AgentClient.Connect("127.0.0.1", harness.Agent.EndPoint.Port, TimeSpan.FromSeconds(10));
        var id = HandoverId.New();
        harness.Offer(channel, id);
        channel.Send(FrameKind.Start, TransferMessages.Handover, id);
        Assert.Equal(ErrorCode.Protocol, Assert.Throws<PeerErrorException>(() => channel.Receive()).Code);
        Assert.Equal(Outcome.Never, Client(harness).Outcome(id, harness.Agent.AgentId));
        Assert.Null(harness.Incoming!.Completed);
    }

    [Fact]
    public void More_moves_than_allowed_are_refused_while_questions_are_answered()
    {
        using var harness = new MoveHarness();
        var state = new StateDirectory(harness.PathOf("other-agent"));
        using var agent = new RestoreAgent(new AgentOptions { MaxMoves = 1 }, state, harness, new AttachedIncoming(harness.IncomingVmm.Path));
        using var first = AgentClient.Connect("127.0.0.1", agent.EndPoint.Port, TimeSpan.FromSeconds(10));
        first.Send(FrameKind.Hello, TransferMessages.Hello, new Hello(HandoverId.New()));
        first.Expect(FrameKind.Welcome, TransferMessages.Welcome);
        using var second = AgentClient.Connect("127.0.0.1", agent.EndPoint.Port, TimeSpan.FromSeconds(10));
        second.Send(FrameKind.Hello, TransferMessages.Hello, new Hello(HandoverId.New()));
        Assert.Equal(ErrorCode.Busy, Assert.Throws<PeerErrorException>(() => second.Receive()).Code);
        Assert.Single(new AgentClient("127.0.0.1", agent.EndPoint.Port).Status().Moves);
    }

    [Fact]
    public void Answers_what_its_host_accepts_and_whether_a_machine_would_survive()
    {
        using var harness = new MoveHarness();
        Assert.Equal(harness.Profile, Client(harness).Profile());
        Assert.Equal(Verdict.Yes, Check(harness).Verdict);
        harness.Profile = SimulatedProfiles.Plain with { IpaSizes = [32] };
        var no = Check(harness);
        Assert.Equal((Verdict.No, true), (no.Verdict, no.Plan is not null));
    }

    [Fact]
    public void Keeps_its_identity_and_shares_its_directory_with_nobody()
    {
        using var harness = new MoveHarness();
        var id = harness.Agent.AgentId;
        Assert.Equal(ErrorCode.Busy, Assert.Throws<MigrateException>(() =>
            new RestoreAgent(new AgentOptions(), harness.AgentState, harness, new AttachedIncoming("x"))).Code);
        harness.RestartAgent();
        Assert.Equal(id, harness.Agent.AgentId);
        Assert.True(HandoverId.IsValid(id));
    }

    [Fact]
    public void Listens_beyond_loopback_only_when_told_so()
    {
        using var harness = new MoveHarness();
        var everywhere = new AgentOptions { Listen = new IPEndPoint(IPAddress.Any, 0) };
        var state = new StateDirectory(harness.PathOf("other-agent"));
        var refused = Assert.Throws<MigrateException>(() => new RestoreAgent(everywhere, state, harness, new AttachedIncoming("x")));
        Assert.Contains("--insecure", refused.Remedy);
        using var agent = new RestoreAgent(everywhere with { Insecure = true }, state, harness, new AttachedIncoming("x"));
        Assert.Equal(IPAddress.Any, agent.EndPoint.Address);
    }

    [Fact]
    public void A_launcher_says_why_its_vmm_did_not_come_up()
    {
        using var harness = new MoveHarness();
        var launcher = new LaunchedIncoming("/bin/sh", ["-c", "echo no such luck >&2; exit 3"], harness.PathOf("."), "test", TimeSpan.FromSeconds(20));
        var failed = Assert.Throws<MigrateException>(() => launcher.Obtain(harness.Machine.Describe().State.Vm));
        Assert.Contains("ended with 3", failed.Message);
        Assert.Contains("no such luck", failed.Message);
    }

    private static AgentClient Client(MoveHarness harness) => new("127.0.0.1", harness.Agent.EndPoint.Port);

    private static CheckReport Check(MoveHarness harness) =>
        Client(harness).Check(harness.Machine.Describe(), Policy.Vmmigrate, [], acceptAssumed: false, includePlan: true);
}
