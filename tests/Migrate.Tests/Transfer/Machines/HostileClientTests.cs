using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Migrate.Linux.Memory;
using Migrate.Linux.Sockets;
using Migrate.Model;
using Migrate.Model.Encoding;
using Migrate.Model.Errors;
using Migrate.Model.Plans;
using Migrate.Model.Ports;
using Migrate.Tests.Transfer.Wire;
using Migrate.Transfer.Machines;
using Migrate.Transfer.Wire;

namespace Migrate.Tests.Transfer.Machines;

public sealed class HostileClientTests : IDisposable
{
    private readonly FakeMachine _machine = new();
    private readonly MachineServer _server;

    public HostileClientTests() => _server = MachineServer.Serve(
        Machines.SocketPath(), _machine, new MachineServerOptions { MaxConnections = 4, RequestTimeout = TimeSpan.FromMilliseconds(300) });

    [Fact, SupportedOSPlatform("linux")]
    public void The_socket_is_for_its_user_alone() =>
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_server.Path));

    [Fact]
    public void A_descriptor_that_nobody_asked_for_ends_the_connection_and_no_other()
    {
        using var good = MachineClient.Connect(_server.Path);
        using var memory = MemFd.Create("gift", 4096);
        var raw = Raw();
        raw.Send(FrameBytes.Of(FrameKind.Status), [(SafeHandle)memory]);
        AssertClosed(raw);
        raw = Raw();
        raw.SendAll(FrameBytes.Of(FrameKind.GetMemory, MachineMessages.FirstSlot, 0)[..FrameHeader.Size]);
        raw.Send(FrameBytes.Of(FrameKind.GetMemory, MachineMessages.FirstSlot, 0)[FrameHeader.Size..], [(SafeHandle)memory]);
        AssertClosed(raw);
        Assert.Equal(LifecycleState.Running, good.Status().State);
    }

    [Fact]
    public void A_client_that_speaks_something_else_is_told_so_and_closed()
    {
        using var raw = UnixSocket.Connect(_server.Path, TimeSpan.FromSeconds(5));
        raw.SendAll("GET / HTTP/1.1\r\nHost: machine\r\n\r\n"u8);
        using var channel = new FrameChannel(new UnixByteStream(raw), StreamPurpose.Machine);
        channel.ReadPreamble();
        Assert.Contains("does not speak vmmigrate", Assert.Throws<PeerErrorException>(() => channel.Receive()).Message);
    }

    [Fact]
    public void A_client_that_stops_in_the_middle_of_a_request_is_closed_when_its_time_is_over()
    {
        using var raw = Raw();
        raw.SendAll(FrameBytes.Of(FrameKind.Throttle, MachineMessages.Percent, 3)[..(FrameHeader.Size + 1)]);
        using var channel = new FrameChannel(new UnixByteStream(raw), StreamPurpose.Machine);
        Assert.Equal(ErrorCode.TimedOut, Assert.Throws<PeerErrorException>(() => channel.Receive()).Code);
        AssertClosed(raw);
    }

    [Fact]
    public void A_session_that_breaks_the_protocol_is_lost_and_the_machine_runs_on()
    {
        using var raw = Raw();
        raw.SendAll(FrameBytes.Of(FrameKind.OpenSource));
        var room = new Migrate.Linux.FileDescriptor?[1];
        using var channel = new FrameChannel(new UnixByteStream(raw), StreamPurpose.Machine);
        Assert.Equal(FrameKind.SessionOpened, channel.Receive(room, out var count).Kind);
        Assert.Equal(1, count);
        room[0]!.Dispose();
        channel.Send(FrameKind.Quiesce);
        channel.Expect(FrameKind.Done);
        channel.Send(FrameKind.Done);
        Assert.Contains("done (0x0002) where a request", Assert.Throws<PeerErrorException>(() => channel.Receive()).Message);
        AssertClosed(raw);
        Assert.Equal((true, false), (_machine.IsRunning, _machine.IsLogging));
    }

    [Fact]
    public void More_connections_than_allowed_are_told_so_and_those_that_stand_go_on()
    {
        var clients = Enumerable.Range(0, 4).Select(_ => MachineClient.Connect(_server.Path)).ToList();
        var error = Assert.Throws<PeerErrorException>(() =>
        {
            using var fifth = MachineClient.Connect(_server.Path);
            fifth.Status();
        });
        Assert.Equal(ErrorCode.Busy, error.Code);
        Assert.True(error.IsTransient);
        foreach (var client in clients)
        {
            client.Status();
            client.Dispose();
        }
        Assert.True(SpinWait.SpinUntil(Serves, TimeSpan.FromSeconds(30)));

        bool Serves()
        {
            try
            {
                using var client = MachineClient.Connect(_server.Path);
                return client.Status().State == LifecycleState.Running;
            }
            catch (MigrateException e) when (e.Code is ErrorCode.Busy or ErrorCode.PeerLost)
            {
                return false;
            }
        }
    }

    [Fact]
    public void Requests_that_come_byte_by_byte_are_the_same_requests()
    {
        using var raw = UnixSocket.Connect(_server.Path, TimeSpan.FromSeconds(5));
        byte[] bytes = [.. FrameBytes.Preamble(StreamPurpose.Machine), .. FrameBytes.Of(FrameKind.Status), .. FrameBytes.Of(FrameKind.Pause)];
        foreach (var b in bytes) raw.SendAll([b]);
        using var channel = new FrameChannel(new UnixByteStream(raw), StreamPurpose.Machine);
        channel.ReadPreamble();
        Assert.Equal("web1", channel.Expect(FrameKind.MachineStatus, MachineMessages.Status).Name);
        channel.Expect(FrameKind.Done);
        Assert.False(_machine.IsRunning);
    }

    [Fact]
    public void A_session_cut_at_any_byte_leaves_the_machine_running()
    {
        byte[] whole = [.. FrameBytes.Preamble(StreamPurpose.Machine), .. SourceRequests(release: false)];
        for (var length = 0; length < whole.Length; length++)
        {
            Serve(whole[..length], _machine);
            Assert.Equal((true, false, 0), (_machine.IsRunning, _machine.IsLogging, _machine.ThrottledTo));
        }
    }

    [Fact]
    public void Mutated_source_sessions_never_lose_the_machine()
    {
        byte[] valid = [.. FrameBytes.Preamble(StreamPurpose.Machine), .. SourceRequests(release: true)];
        var random = new Random(21);
        var machine = new FakeMachine();
        var states = new HashSet<LifecycleState>();
        var before = GC.GetAllocatedBytesForCurrentThread();
        const int cases = 12_000;
        for (var i = 0; i < cases; i++)
        {
            var status = Serve(Mutations.Of(valid, random, bytes => Mutations.FixFrames(bytes, Preamble.Size)), machine);
            states.Add(status.State);
            Assert.Equal("", status.Session);
            switch (status.State)
            {
                case LifecycleState.Running:
                    Assert.Equal((true, false), (machine.IsRunning, machine.IsLogging));
                    break;
                case LifecycleState.Paused:
                    Assert.Equal((false, false), (machine.IsRunning, machine.IsLogging));
                    machine.Resume();
                    break;
                case LifecycleState.Released or LifecycleState.Destroyed:
                    Assert.False(machine.IsRunning);
                    machine.Dispose();
                    machine = new FakeMachine();
                    break;
                default:
                    Assert.Fail($"left {status.State}");
                    break;
            }
            machine.Calls.Clear();
        }
        machine.Dispose();
        Assert.Superset(new HashSet<LifecycleState> { LifecycleState.Running, LifecycleState.Released }, states);
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / cases, 0, 512 << 10);
    }

    [Fact]
    public void Mutated_incoming_sessions_start_a_machine_once_or_throw_it_away()
    {
        var description = Machines.Description();
        EquatableArray<RestoreStep> prepare = Machines.PrepareSteps(description).ToEquatableArray();
        byte[] valid =
        [
            .. FrameBytes.Preamble(StreamPurpose.Machine),
            .. FrameBytes.Of(FrameKind.OpenIncoming), .. FrameBytes.Of(FrameKind.Begin, Documents.VmDescription, description),
            .. FrameBytes.Of(FrameKind.Execute, MachineMessages.Steps, prepare), .. FrameBytes.Of(FrameKind.GetMemory, MachineMessages.FirstSlot, 0),
            .. FrameBytes.Of(FrameKind.Execute, MachineMessages.Steps, [Machines.Write(5)]),
            .. FrameBytes.Of(FrameKind.Read, MachineMessages.Registers, [new RegisterAddress(0, Machines.Id(1))]),
            .. FrameBytes.Of(FrameKind.StartMachine, MachineMessages.Handover, "a1b2"),
        ];
        var random = new Random(22);
        var states = new HashSet<LifecycleState>();
        const int cases = 12_000;
        for (var i = 0; i < cases; i++)
        {
            var built = new List<FakeIncoming>();
            using var hosted = new HostedMachine(
                "spare",
                d =>
                {
                    // What a host does with a machine that is too large for it.
                    if (d.MemoryBytes > 1 << 24) throw new MigrateException(ErrorCode.TooLarge, "too much memory");
                    built.Add(new FakeIncoming(d));
                    return built[^1];
                },
                null);
            new MachineConnection(
                new ScriptedSocket(Mutations.Of(valid, random, bytes => Mutations.FixFrames(bytes, Preamble.Size))), "a test", hosted, new MachineServerOptions()).Run();
            var state = hosted.Status().State;
            states.Add(state);
            Assert.True(state is LifecycleState.Incoming or LifecycleState.Running or LifecycleState.Destroyed, $"left {state}");
            Assert.Equal(state == LifecycleState.Running ? 1 : 0, built.Count(b => b.Completed is { IsRunning: true, IsDisposed: false }));
            Assert.Equal(state == LifecycleState.Running ? 1 : 0, built.Count(b => !b.IsDisposed));
        }
        Assert.Superset(new HashSet<LifecycleState> { LifecycleState.Incoming, LifecycleState.Running }, states);
    }

    public void Dispose()
    {
        _server.Dispose();
        Directory.Delete(Path.GetDirectoryName(_server.Path)!, recursive: true);
    }

    private static byte[] SourceRequests(bool release) =>
    [
        .. FrameBytes.Of(FrameKind.Status), .. FrameBytes.Of(FrameKind.OpenSource), .. FrameBytes.Of(FrameKind.GetMemory, MachineMessages.FirstSlot, 0),
        .. FrameBytes.Of(FrameKind.Collect, MachineMessages.Consumed, 0), .. FrameBytes.Of(FrameKind.Throttle, MachineMessages.Percent, 50),
        .. FrameBytes.Of(FrameKind.Quiesce), .. FrameBytes.Of(FrameKind.Collect, MachineMessages.Consumed, 1), .. FrameBytes.Of(FrameKind.Capture),
        .. release ? FrameBytes.Of(FrameKind.Release, MachineMessages.Handover, "a1b2") : FrameBytes.Of(FrameKind.Unquiesce),
    ];

    /// <summary>One connection with all that its client will ever say, from beginning to end on this thread.</summary>
    private static MachineStatus Serve(byte[] script, FakeMachine machine)
    {
        var hosted = new HostedMachine(machine, null);
        new MachineConnection(new ScriptedSocket(script), "a test", hosted, new MachineServerOptions()).Run();
        return hosted.Status();
    }

    [Fact]
    public void A_report_that_cannot_be_written_ends_nothing()
    {
        using var machine = new FakeMachine();
        using var server = MachineServer.Serve(Machines.SocketPath(), machine, new MachineServerOptions { Report = _ => throw new IOException("No space left on device") });
        using (var rude = UnixSocket.Connect(server.Path, TimeSpan.FromSeconds(5)))
        {
            rude.SendAll(new byte[64]);
            AssertClosed(rude);
        }
        using var client = MachineClient.Connect(server.Path);
        Assert.Equal(LifecycleState.Running, client.Status().State);
    }

    private UnixSocket Raw()
    {
        var socket = UnixSocket.Connect(_server.Path, TimeSpan.FromSeconds(5));
        socket.ReceiveTimeout = TimeSpan.FromSeconds(30);
        socket.SendAll(FrameBytes.Preamble(StreamPurpose.Machine));
        socket.ReceiveExactly(new byte[Preamble.Size]);
        return socket;
    }

    private static void AssertClosed(UnixSocket socket)
    {
        var rest = new byte[4096];
        try
        {
            while (socket.Receive(rest) > 0)
            {
                // An error frame may come first.
            }
        }
        catch (PeerLostException)
        {
            // Closed with bytes unread.
        }
    }
}
