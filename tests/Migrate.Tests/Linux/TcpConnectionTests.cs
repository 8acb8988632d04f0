using System.Net;
using Migrate.Linux;
using Migrate.Linux.Memory;
using Migrate.Linux.Native;
using Migrate.Linux.Sockets;
using Migrate.Model.Errors;

namespace Migrate.Tests.Linux;

public unsafe class TcpConnectionTests
{
    [Fact]
    public void A_vector_through_a_tiny_buffer_to_a_slow_reader_arrives_byte_for_byte()
    {
        var (first, second) = TestSupport.TcpPair();
        using var client = first;
        using var server = second;
        client.SendBufferBytes = 1;
        const int size = 80_000;
        using var memory = MemFd.Create("vector", size);
        using var mapping = memory.Map(MappingAccess.ReadWrite);
        var content = TestSupport.Pattern(size, 1);
        content.CopyTo(mapping.Slice(0, size));
        // More ranges than the kernel takes at once, of all small lengths, empty ones among them and at both ends.
        var vectors = new List<IoVector> { new((nint)mapping.Pointer, 0) };
        var position = 0;
        for (var i = 0; position < content.Length; i++)
        {
            var length = Math.Min(i * 37 % 61, content.Length - position);
            vectors.Add(new IoVector((nint)(mapping.Pointer + position), length));
            position += length;
        }
        vectors.Add(new IoVector((nint)mapping.Pointer, 0));
        Assert.True(vectors.Count > 2 * SocketConstants.IOV_MAX);
        var sending = new Worker(() => client.SendVector(vectors.ToArray()));
        var got = new byte[content.Length];
        for (var done = 0; done < got.Length;)
            done += server.Receive(got.AsSpan(done, Math.Min(97, got.Length - done)));
        Assert.Null(sending.Outcome());
        Assert.True(content.AsSpan().SequenceEqual(got));
    }

    [Fact]
    public void A_vector_that_the_kernel_cuts_short_is_resumed_within_the_range_it_was_cut_in()
    {
        // One sendmsg takes 0x7ffff000 bytes at most (MAX_RW_COUNT), whatever the buffers are: the cut is certain and inside a range.
        const int length = (32 << 20) + 3;
        const int count = 65;
        Assert.True((long)length * count > 0x7ffff000);
        var (first, second) = UnixSocket.Pair();
        using var a = first;
        using var b = second;
        var content = GC.AllocateArray<byte>(length, pinned: true);
        new Random(2).NextBytes(content);
        fixed (byte* pointer = content)
        {
            var vectors = new IoVector[count];
            Array.Fill(vectors, new IoVector((nint)pointer, length));
            var sending = new Worker(() => a.SendVector(vectors));
            var got = new byte[1 << 20];
            for (var round = 0; round < count; round++)
            {
                for (var done = 0; done < length;)
                {
                    var piece = Math.Min(got.Length, length - done);
                    b.ReceiveExactly(got.AsSpan(0, piece));
                    Assert.True(got.AsSpan(0, piece).SequenceEqual(content.AsSpan(done, piece)));
                    done += piece;
                }
            }
            Assert.Null(sending.Outcome());
        }
        a.ShutdownSend();
        Assert.Equal(0, b.Receive(new byte[1]));
    }

    [Fact]
    public void Sending_a_vector_allocates_nothing()
    {
        var (first, second) = TestSupport.TcpPair();
        using var client = first;
        using var server = second;
        using var memory = MemFd.Create("quiet", 1 << 20);
        using var mapping = memory.Map(MappingAccess.ReadWrite);
        var vectors = new IoVector[4];
        for (var i = 0; i < vectors.Length; i++)
            vectors[i] = new IoVector((nint)(mapping.Pointer + (i * 4096)), 4096);
        var got = new byte[4 * 4096];
        Exchange();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
            Exchange();
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        void Exchange()
        {
            client.SendVector(vectors);
            server.ReceiveExactly(got);
            client.SendAll(got);
            server.ReceiveExactly(mapping.Pointer, got.Length);
        }
    }

    [Fact]
    public void Refuses_a_vector_of_negative_length()
    {
        var (first, second) = TestSupport.TcpPair();
        using var client = first;
        using var server = second;
        Assert.Throws<ArgumentOutOfRangeException>(() => client.SendVector([new IoVector(0, -1)]));
    }

    [Fact]
    public void A_vector_outside_of_memory_is_an_error_and_not_a_crash()
    {
        var (first, second) = TestSupport.TcpPair();
        using var client = first;
        using var server = second;
        Assert.Equal("EFAULT", Assert.Throws<LinuxException>(() => client.SendVector([new IoVector(16, 10)])).ErrnoName);
    }

    [Fact]
    public void Receives_straight_into_mapped_memory()
    {
        var (first, second) = TestSupport.TcpPair();
        using var client = first;
        using var server = second;
        using var memory = MemFd.Create("target", 65536);
        using var mapping = memory.Map(MappingAccess.ReadWrite);
        client.SendAll(TestSupport.Pattern(1000, 3));
        server.ReceiveExactly(mapping.Pointer + 5, 1000);
        Assert.True(mapping.View(5, 1000).SequenceEqual(TestSupport.Pattern(1000, 3)));
        Assert.Equal(0, mapping.View(1005, 1)[0]);
    }

    [Fact]
    public void A_peer_gone_in_the_middle_of_a_message_is_lost_and_not_late()
    {
        var (first, second) = TestSupport.TcpPair();
        using var server = second;
        server.ReceiveTimeout = TestSupport.Patience;
        first.SendAll([1, 2, 3]);
        first.Dispose();
        var error = Assert.Throws<PeerLostException>(() => server.ReceiveExactly(new byte[8]));
        Assert.Equal((ErrorCode.PeerLost, 3L, 8L), (error.Code, error.Done, error.Wanted));
        Assert.Contains("127.0.0.1:", error.Message);
    }

    [Fact]
    public void A_peer_that_resets_is_lost_too()
    {
        var (first, second) = TestSupport.TcpPair();
        using var server = second;
        server.SendAll([1]);
        // Closing with unread bytes sends a reset (RFC 2525, 2.17).
        first.Dispose();
        var block = new byte[4096];
        var error = new Worker(() =>
        {
            for (var i = 0; i < int.MaxValue; i++)
                server.SendAll(block);
        }).Outcome();
        Assert.IsType<PeerLostException>(error);
    }

    [Fact]
    public void An_orderly_end_between_messages_is_no_error_to_who_asks_for_what_there_is()
    {
        var (first, second) = TestSupport.TcpPair();
        using var client = first;
        using var server = second;
        client.ShutdownSend();
        Assert.Equal(0, server.Receive(new byte[1]));
        server.SendAll([7]);
        var answer = new byte[1];
        client.ReceiveExactly(answer);
        Assert.Equal(7, answer[0]);
    }

    [Fact]
    public void A_silent_peer_is_late_and_not_lost_and_may_still_go_on()
    {
        var (first, second) = TestSupport.TcpPair();
        using var client = first;
        using var server = second;
        server.ReceiveTimeout = TimeSpan.FromMilliseconds(20);
        client.SendAll([1]);
        var buffer = new byte[2];
        var error = Assert.Throws<PeerTimedOutException>(() => server.ReceiveExactly(buffer));
        Assert.Equal((ErrorCode.TimedOut, 1L, 2L), (error.Code, error.Done, error.Wanted));
        server.ReceiveTimeout = Timeout.InfiniteTimeSpan;
        client.SendAll([9]);
        server.ReceiveExactly(buffer.AsSpan(1));
        Assert.Equal([1, 9], buffer);
    }

    [Fact]
    public void A_peer_that_takes_nothing_is_late()
    {
        var (first, second) = TestSupport.TcpPair();
        using var client = first;
        using var server = second;
        client.SendTimeout = TimeSpan.FromMilliseconds(20);
        var error = Assert.Throws<PeerTimedOutException>(() => client.SendAll(new byte[64 << 20]));
        Assert.InRange(error.Done, 1, (64 << 20) - 1);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-5)]
    public void Refuses_a_timeout_that_the_kernel_would_take_for_none(int milliseconds)
    {
        var (first, second) = TestSupport.TcpPair();
        using var client = first;
        using var server = second;
        Assert.Throws<ArgumentOutOfRangeException>(() => client.ReceiveTimeout = TimeSpan.FromMilliseconds(milliseconds));
    }

    [Fact]
    public void An_abort_ends_a_send_and_a_receive_that_block_in_other_threads()
    {
        var (first, second) = TestSupport.TcpPair();
        using var client = first;
        using var server = second;
        var receiving = new Worker(() => client.ReceiveExactly(new byte[1]));
        var sending = new Worker(() => client.SendAll(new byte[64 << 20]));
        // The first bytes prove that the sender is at work; it cannot finish, since nobody takes the rest.
        server.ReceiveExactly(new byte[1]);
        client.Abort();
        Assert.Contains("aborted on this side", Assert.IsType<PeerLostException>(receiving.Outcome()).Message);
        Assert.Contains("aborted on this side", Assert.IsType<PeerLostException>(sending.Outcome()).Message);
    }

    [Fact]
    public void Options_are_what_the_kernel_says()
    {
        var (first, second) = TestSupport.TcpPair();
        using var client = first;
        using var server = second;
        client.NoDelay = true;
        Assert.True(client.NoDelay);
        Assert.False(server.NoDelay);
        client.SendBufferBytes = 65536;
        Assert.Equal(2 * 65536, client.SendBufferBytes);
        client.EnableKeepAlive(TimeSpan.FromSeconds(5), 3);
        Assert.Equal(1, SocketOptions.Get(client.Handle, SocketConstants.SOL_SOCKET, SocketConstants.SO_KEEPALIVE, "test"));
        Assert.Equal(20_000, SocketOptions.Get(client.Handle, SocketConstants.IPPROTO_TCP, SocketConstants.TCP_USER_TIMEOUT, "test"));
        Assert.Equal(client.LocalEndPoint.ToString(), server.PeerName);
    }

    [Fact]
    public void A_port_where_nobody_listens_is_unreachable_by_name()
    {
        int port;
        using (var listener = TcpListenerSocket.Listen(new IPEndPoint(IPAddress.Loopback, 0)))
            port = listener.LocalEndPoint.Port;
        var error = Assert.Throws<MigrateException>(() => TcpConnection.Connect("127.0.0.1", port, TestSupport.Patience));
        Assert.Equal(ErrorCode.Unreachable, error.Code);
        Assert.Contains($"127.0.0.1:{port} answered ECONNREFUSED", error.Message);
    }

    [Fact]
    public void A_host_that_does_not_answer_is_unreachable_when_the_time_is_over()
    {
        // A full queue drops what knocks, as a dead host does.
        using var full = TcpAddress.NewSocket(new IPEndPoint(IPAddress.Loopback, 0));
        TcpAddress.Bind(full, new IPEndPoint(IPAddress.Loopback, 0));
        Assert.Equal(0, Libc.listen(full, 0));
        var port = TcpAddress.Local(full, "test").Port;
        var connections = new List<TcpConnection>();
        var error = Assert.Throws<MigrateException>(() =>
        {
            for (var i = 0; i < 8; i++)
                connections.Add(TcpConnection.Connect("127.0.0.1", port, TimeSpan.FromMilliseconds(50)));
        });
        Assert.Equal(ErrorCode.Unreachable, error.Code);
        Assert.Contains("did not answer", error.Message);
        connections.ForEach(c => c.Dispose());
    }

    [Fact]
    public void A_name_is_resolved_and_kept_for_messages()
    {
        using var listener = TcpListenerSocket.Listen(new IPEndPoint(IPAddress.Loopback, 0));
        using var client = TcpConnection.Connect("localhost", listener.LocalEndPoint.Port, TestSupport.Patience);
        Assert.Equal($"localhost:{listener.LocalEndPoint.Port}", client.PeerName);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(65536)]
    public void Refuses_a_port_that_is_none(int port) =>
        Assert.Equal(ErrorCode.Usage, Assert.Throws<MigrateException>(() => TcpConnection.Connect("127.0.0.1", port, TestSupport.Patience)).Code);

    [Fact]
    public void Refuses_a_port_in_use()
    {
        using var listener = TcpListenerSocket.Listen(new IPEndPoint(IPAddress.Loopback, 0));
        Assert.Equal("EADDRINUSE", Assert.Throws<LinuxException>(() => TcpListenerSocket.Listen(listener.LocalEndPoint)).ErrnoName);
    }

    [Fact]
    public void A_cancelled_accept_ends()
    {
        using var listener = TcpListenerSocket.Listen(new IPEndPoint(IPAddress.Loopback, 0));
        using var cancel = new CancellationTokenSource();
        var accepting = new Worker(() => listener.Accept(Timeout.InfiniteTimeSpan, cancel.Token));
        cancel.Cancel();
        Assert.IsType<OperationCanceledException>(accepting.Outcome());
        Assert.Null(listener.Accept(TimeSpan.FromMilliseconds(5), CancellationToken.None));
    }
}
