using System.Runtime.InteropServices;
using Migrate.Linux;
using Migrate.Linux.Memory;
using Migrate.Linux.Native;
using Migrate.Linux.Sockets;
using Migrate.Model.Errors;

namespace Migrate.Tests.Linux;

public unsafe class UnixSocketTests
{
    private const int PassCredentials = 16;
    private readonly string _name = $"passed-{Guid.NewGuid():N}";

    [Fact]
    public void Descriptors_arrive_with_the_bytes_they_were_sent_with_and_close_on_exec()
    {
        var (first, second) = UnixSocket.Pair();
        using var a = first;
        using var b = second;
        using var memory = MemFd.Create(_name, 4096);
        a.Send([1, 2, 3], [memory, memory]);
        a.SendAll([4]);
        var received = new FileDescriptor?[3];
        var bytes = new byte[3];
        Assert.Equal(2, b.ReceiveExactly(bytes, received));
        Assert.Equal([1, 2, 3], bytes);
        Assert.Equal(1, Libc.fcntl(received[0]!, 1, 0));
        using (var adopted = MemFd.Adopt(received[0]!, 4096, "passed"))
            Assert.Equal(4096, adopted.Length);
        received[1]!.Dispose();
        Assert.Equal(1, TestSupport.OpenDescriptors(_name));
        b.ReceiveExactly(bytes.AsSpan(0, 1));
        Assert.Equal(4, bytes[0]);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 2)]
    [InlineData(1, 3)]
    [InlineData(2, 32)]
    [InlineData(31, 32)]
    public void Surplus_descriptors_are_all_closed_and_the_connection_ends(int expected, int sent)
    {
        var (first, second) = UnixSocket.Pair();
        using var a = first;
        using var b = second;
        using var memory = MemFd.Create(_name, 4096);
        a.Send([1], Enumerable.Repeat<SafeHandle>(memory, sent).ToArray());
        var received = new FileDescriptor?[expected];
        var error = Assert.Throws<MigrateException>(() => b.ReceiveExactly(new byte[1], received));
        Assert.Equal(ErrorCode.Protocol, error.Code);
        Assert.All(received, Assert.Null);
        Assert.Equal(1, TestSupport.OpenDescriptors(_name));
        Assert.Throws<PeerLostException>(() => a.SendAll([1]));
    }

    [Fact]
    public void Descriptors_in_a_plain_receive_are_closed_and_the_connection_ends()
    {
        var (first, second) = UnixSocket.Pair();
        using var a = first;
        using var b = second;
        using var memory = MemFd.Create(_name, 4096);
        a.Send([1, 2], [memory]);
        Assert.Equal(ErrorCode.Protocol, Assert.Throws<MigrateException>(() => b.Receive(new byte[2])).Code);
        Assert.Equal(1, TestSupport.OpenDescriptors(_name));
        Assert.Throws<PeerLostException>(() => a.SendAll([1]));
    }

    [Fact]
    public void Descriptors_spread_over_several_sends_count_together()
    {
        var (first, second) = UnixSocket.Pair();
        using var a = first;
        using var b = second;
        using var memory = MemFd.Create(_name, 4096);
        a.Send([1], [memory]);
        a.Send([2], [memory]);
        Assert.Equal(ErrorCode.Protocol, Assert.Throws<MigrateException>(() => b.ReceiveExactly(new byte[2], new FileDescriptor?[1])).Code);
        Assert.Equal(1, TestSupport.OpenDescriptors(_name));
    }

    [Fact]
    public void A_control_message_of_another_kind_ends_the_connection()
    {
        var (first, second) = UnixSocket.Pair();
        using var a = first;
        using var b = second;
        SocketOptions.Set(b.Handle, SocketConstants.SOL_SOCKET, PassCredentials, 1, "test");
        a.SendAll([1]);
        var error = Assert.Throws<MigrateException>(() => b.ReceiveExactly(new byte[1], new FileDescriptor?[8]));
        Assert.Equal(ErrorCode.Protocol, error.Code);
        Assert.Contains("unknown control message", error.Message);
        Assert.Throws<PeerLostException>(() => a.SendAll([1]));
    }

    [Fact]
    public void Descriptors_cut_off_behind_another_control_message_end_the_connection()
    {
        var (first, second) = UnixSocket.Pair();
        using var a = first;
        using var b = second;
        using var memory = MemFd.Create(_name, 4096);
        // The kernel now puts credentials first, and the descriptors no longer fit behind them.
        SocketOptions.Set(b.Handle, SocketConstants.SOL_SOCKET, PassCredentials, 1, "test");
        a.Send([1], [memory]);
        Assert.Equal(ErrorCode.Protocol, Assert.Throws<MigrateException>(() => b.ReceiveExactly(new byte[1], new FileDescriptor?[8])).Code);
        Assert.Equal(1, TestSupport.OpenDescriptors(_name));
    }

    [Fact]
    public void Descriptors_that_came_before_the_peer_was_lost_are_closed()
    {
        var (first, second) = UnixSocket.Pair();
        using var b = second;
        using var memory = MemFd.Create(_name, 4096);
        first.Send([1, 2], [memory]);
        first.Dispose();
        var received = new FileDescriptor?[1];
        var error = Assert.Throws<PeerLostException>(() => b.ReceiveExactly(new byte[3], received));
        Assert.Equal((2, 3), (error.Done, error.Wanted));
        Assert.Null(received[0]);
        Assert.Equal(1, TestSupport.OpenDescriptors(_name));
    }

    [Fact]
    public void Refuses_to_send_more_descriptors_than_the_bound_or_none_with_no_byte()
    {
        var (first, second) = UnixSocket.Pair();
        using var a = first;
        using var b = second;
        using var memory = MemFd.Create(_name, 4096);
        Assert.Throws<ArgumentOutOfRangeException>(() => a.Send([1], Enumerable.Repeat<SafeHandle>(memory, UnixSocket.MaxDescriptors + 1).ToArray()));
        Assert.Throws<ArgumentException>(() => a.Send([], [memory]));
    }

    [Fact]
    public void A_listener_takes_connections_and_knows_who_they_are()
    {
        using var directory = new TemporaryDirectory();
        using var listener = UnixListener.Listen(directory["s"]);
        using var client = UnixSocket.Connect(directory["s"], TestSupport.Patience);
        using var server = listener.Accept(TestSupport.Patience, TestContext.Current.CancellationToken)!;
        Assert.Equal(Environment.ProcessId, server.Peer.Pid);
        Assert.Equal(Environment.ProcessId, client.Peer.Pid);
        server.RequireTrustedPeer();
        client.RequireTrustedPeer();
        client.SendAll([5]);
        var got = new byte[1];
        server.ReceiveExactly(got);
        Assert.Equal(5, got[0]);
    }

    [Theory]
    [InlineData(1000, 1000, true)]
    [InlineData(0, 1000, true)]
    [InlineData(1001, 1000, false)]
    [InlineData(1000, 0, false)]
    [InlineData(uint.MaxValue, 1000, false)]
    public void Trusts_the_own_user_and_root_only(uint peer, uint own, bool trusted) =>
        Assert.Equal(trusted, new PeerCredentials(1, peer, 0).IsUserOrRoot(own));

    [Fact]
    public void The_socket_file_is_for_its_owner_only_and_goes_with_the_listener()
    {
        using var directory = new TemporaryDirectory();
        using (UnixListener.Listen(directory["s"]))
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, new FileInfo(directory["s"]).UnixFileMode);
        Assert.Empty(Directory.GetFileSystemEntries(directory.Path));
    }

    [Fact]
    public void Refuses_to_steal_a_live_socket_and_leaves_it_working()
    {
        using var directory = new TemporaryDirectory();
        using var listener = UnixListener.Listen(directory["s"]);
        var error = Assert.Throws<MigrateException>(() => UnixListener.Listen(directory["s"]));
        Assert.Equal(ErrorCode.Busy, error.Code);
        Assert.Contains(directory["s"], error.Message);
        using var client = UnixSocket.Connect(directory["s"], TestSupport.Patience);
    }

    [Fact]
    public void Replaces_the_socket_of_a_dead_process()
    {
        using var directory = new TemporaryDirectory();
        using (var dead = UnixAddress.NewSocket(directory["s"]))
            UnixAddress.Bind(dead, directory["s"]);
        Assert.Equal(ErrorCode.Unreachable, Assert.Throws<MigrateException>(() => UnixSocket.Connect(directory["s"], TestSupport.Patience)).Code);
        using var listener = UnixListener.Listen(directory["s"]);
        using var client = UnixSocket.Connect(directory["s"], TestSupport.Patience);
    }

    [Fact]
    public void Refuses_to_replace_a_file_that_is_not_a_socket()
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory["s"], "precious");
        Assert.Equal(ErrorCode.Busy, Assert.Throws<MigrateException>(() => UnixListener.Listen(directory["s"])).Code);
        Assert.Equal("precious", File.ReadAllText(directory["s"]));
    }

    [Fact]
    public void A_listener_does_not_remove_the_socket_of_its_successor()
    {
        using var directory = new TemporaryDirectory();
        var old = UnixListener.Listen(directory["s"]);
        File.Move(directory["s"], directory["moved"]);
        using var successor = UnixListener.Listen(directory["s"]);
        old.Dispose();
        using var client = UnixSocket.Connect(directory["s"], TestSupport.Patience);
    }

    [Fact]
    public void Refuses_a_path_longer_than_the_kernel_takes()
    {
        var path = "/tmp/" + new string('x', 103);
        Assert.Equal(ErrorCode.Usage, Assert.Throws<MigrateException>(() => UnixSocket.Connect(path, TestSupport.Patience)).Code);
    }

    [Fact]
    public void A_cancelled_accept_ends_and_the_listener_still_works()
    {
        using var directory = new TemporaryDirectory();
        using var listener = UnixListener.Listen(directory["s"]);
        using var cancel = new CancellationTokenSource();
        var accepting = new Worker(() => listener.Accept(Timeout.InfiniteTimeSpan, cancel.Token));
        cancel.Cancel();
        Assert.IsType<OperationCanceledException>(accepting.Outcome());
        using var client = UnixSocket.Connect(directory["s"], TestSupport.Patience);
        using var server = listener.Accept(TestSupport.Patience, CancellationToken.None);
        Assert.NotNull(server);
    }

    [Fact]
    public void An_accept_whose_time_is_over_has_no_connection()
    {
        using var directory = new TemporaryDirectory();
        using var listener = UnixListener.Listen(directory["s"]);
        Assert.Null(listener.Accept(TimeSpan.FromMilliseconds(5), CancellationToken.None));
    }
}
