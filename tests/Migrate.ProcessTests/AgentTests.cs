using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Migrate.ProcessTests.Harness;
using Migrate.Transfer.Machines;

namespace Migrate.ProcessTests;

/// <summary>The agent as a process: signals, strangers, and machines that somebody else started.</summary>
public sealed class AgentTests : IDisposable
{
    private readonly TwoHosts _hosts = new();

    public void Dispose() => _hosts.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_signal_ends_it_with_0_and_a_move_that_was_copying_stays_at_the_source(bool terminate)
    {
        var agent = _hosts.StartAgent();
        using var machine = _hosts.StartMachine();
        var send = machine.StartSend(null, "--bandwidth", "1M");
        send.WaitFor("destination prepared");
        if (terminate) agent.Terminate();
        else agent.Interrupt();
        agent.Wait().Exited(0);
        send.Wait().Exited(4);
        machine.AssertRunsAt(Side.Source);
        Assert.Null(machine.AtDestination());
        _hosts.StartAgent();
        machine.Send().Exited(0);
        machine.AssertRunsAt(Side.Destination);
    }

    [Fact]
    public void Machines_that_it_received_outlive_it()
    {
        var agent = _hosts.StartAgent();
        using var machine = _hosts.StartMachine();
        machine.Send().Exited(0);
        agent.Kill();
        machine.AssertRunsAt(Side.Destination);
    }

    [Fact]
    public void Garbage_and_half_open_connections_cost_it_nothing()
    {
        var agent = _hosts.StartAgent();
        var address = IPEndPoint.Parse(_hosts.Address);
        var random = new Random(1);
        var garbage = new byte[64 << 10];
        for (var i = 0; i < 8; i++)
        {
            random.NextBytes(garbage);
            using var stranger = Connect(address);
            Throw(stranger, garbage.AsSpan(0, 1 << (2 * i)));
        }
        // The end of one that says nothing, and others that never end.
        Connect(address).Dispose();
        List<Socket> open = [.. Enumerable.Range(0, 12).Select(_ => Connect(address))];
        Throw(open[0], "GET / HTTP/1.1\r\n"u8);
        using var machine = _hosts.StartMachine();
        machine.Send().Exited(0);
        machine.AssertRunsAt(Side.Destination);
        foreach (var socket in open) socket.Dispose();
        Assert.False(agent.HasExited);
        Assert.Contains("0 moves in progress", _hosts.Source.Run("status", _hosts.Address).Exited(0).FirstLine);
    }

    [Fact]
    public void A_second_agent_on_the_same_state_directory_is_refused()
    {
        _hosts.StartAgent();
        _hosts.Destination.Run("agent", "--listen", "127.0.0.1:0", "--simulate").Exited(1);
    }

    [Fact]
    public void An_address_that_somebody_has_is_refused()
    {
        _hosts.StartAgent();
        var refused = _hosts.Source.Run("agent", "--listen", _hosts.Address, "--simulate");
        Assert.Contains(_hosts.Address, refused.Exited(4).Error);
    }

    [Fact]
    public void Its_identity_survives_a_restart()
    {
        var agent = _hosts.StartAgent();
        var first = agent.WaitFor("listening on");
        agent.Terminate();
        Assert.Equal(first, _hosts.StartAgent().WaitFor("listening on"));
    }

    [Fact]
    public void Attached_it_restores_into_the_machine_that_waits_and_leaves_it_waiting_when_a_move_fails()
    {
        _hosts.Destination.StartMachine("waiting", null, "--incoming");
        _hosts.StartAgent(killAt: null, "--attach", "waiting");
        using var machine = _hosts.StartMachine();
        machine.Send(killAt: "source:awaiting-applied").Exited(Ended.Killed);
        machine.Resolve().Exited(0);
        machine.AssertRunsAt(Side.Source);
        machine.Send().Exited(0);
        machine.AssertRunsAt(Side.Destination);
        Assert.Single(_hosts.Destination.Ask());
    }

    [Fact]
    public void Another_vmm_is_started_from_its_command_for_each_machine_that_comes()
    {
        // A shell stands for another VMM: it leaves a trace, and this project's own does the work.
        var trace = Path.Combine(_hosts.Destination.State, "trace");
        _hosts.StartAgent(null, ["--", "sh", "-c", "echo \"$1 $2\" >> \"$0\"; shift 2; exec \"$@\"", trace, "{name}", "{socket}",
            .. Hosting.Command, "run", .. Hosting.Agent[..1], "--incoming", "--socket", "{socket}", "--name", "{name}"]);
        foreach (var name in new[] { "vm1", "vm2" })
        {
            using var machine = _hosts.StartMachine();
            machine.Send().Exited(0);
            machine.AssertRunsAt(Side.Destination);
            Assert.StartsWith($"{name} {_hosts.Destination.Machines}/incoming-", File.ReadAllLines(trace)[^1]);
        }
    }

    [Theory]
    [InlineData("{socket}", "sh", "-c", "exec something")]
    [InlineData("no program", "/nowhere/vmm", "{socket}")]
    [InlineData("--attach", "sh", "{socket}", "--attach")]
    public void A_command_that_can_start_no_vmm_is_refused_at_once(string named, params string[] command)
    {
        string[] attach = command.Contains("--attach") ? ["--attach", "x"] : [];
        var refused = _hosts.Destination.Run(["agent", "--listen", "127.0.0.1:0", .. Hosting.Agent, .. attach, "--", .. command.Except(["--attach"])]);
        Assert.Contains(named, refused.Exited(2).Error);
    }

    [Fact]
    public void What_it_started_for_a_machine_that_never_came_is_ended_when_it_starts_again()
    {
        _hosts.StartAgent("destination:receiving");
        using var machine = _hosts.StartMachine();
        machine.Send().Exited(4);
        Assert.Equal(LifecycleState.Incoming, Assert.Single(_hosts.Destination.Ask()).State);
        _hosts.StartAgent().WaitFor("was ended");
        Assert.True(SpinWait.SpinUntil(() => _hosts.Destination.Ask().Count == 0, Hosting.Enough(TimeSpan.FromSeconds(20))));
        machine.AssertRunsAt(Side.Source);
    }

    [Fact]
    public void Its_status_and_that_of_a_machine_can_be_read_by_programs()
    {
        _hosts.StartAgent();
        using var machine = _hosts.StartMachine();
        using var send = machine.StartSend(null, "--bandwidth", "1M");
        send.WaitFor("destination prepared");
        using var agent = JsonDocument.Parse(_hosts.Source.Run("status", _hosts.Address, "--json").Exited(0).Out);
        var move = Assert.Single(agent.RootElement.GetProperty("moves").EnumerateArray());
        Assert.Equal((machine.Name, "receiving"), (move.GetProperty("vmName").GetString(), move.GetProperty("state").GetString()));
        using var status = JsonDocument.Parse(_hosts.Source.Run("status", machine.Name, "--json").Exited(0).Out);
        Assert.Equal((machine.VmId, "logging"), (status.RootElement.GetProperty("vmId").GetString(), status.RootElement.GetProperty("state").GetString()));
    }

    private static Socket Connect(IPEndPoint address)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(address);
        return socket;
    }

    /// <summary>The agent may hang up at any byte.</summary>
    private static void Throw(Socket socket, ReadOnlySpan<byte> bytes)
    {
        try
        {
            while (bytes.Length > 0) bytes = bytes[socket.Send(bytes)..];
        }
        catch (SocketException)
        {
            // It did.
        }
    }
}
