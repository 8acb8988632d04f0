using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Migrate.Linux;
using Migrate.Linux.Sockets;
using Migrate.Model.Encoding;
using Migrate.Model.Errors;
using Migrate.Transfer.Machines;
using Migrate.Transfer.Wire;

namespace Migrate.Tests.Transfer.Conformance;

/// <summary>A frame on its way, right or wrong.</summary>
internal sealed record WireFrame(byte[] Header, byte[] Payload, SafeHandle[] Descriptors)
{
    public FrameKind Kind => (FrameKind)BinaryPrimitives.ReadUInt16LittleEndian(Header);

    public ulong Length => BinaryPrimitives.ReadUInt64LittleEndian(Header.AsSpan(8));

    public bool IsHeaderWhole => BinaryPrimitives.ReadUInt32LittleEndian(Header.AsSpan(20)) == Crc32C.Of(Header.AsSpan(0, 20));

    public bool HasReservedBits => (Header[2] & ~1) != 0 || Header[3] != 0 || Header[6] != 0 || Header[7] != 0;

    public T Read<T>(Shape<T> shape) => MessagePackEncoding.Decode(shape, Payload);

    public static WireFrame Of(FrameKind kind, byte[]? payload = null, params SafeHandle[] descriptors)
    {
        var header = new byte[FrameHeader.Size];
        new FrameHeader(kind, FrameFlags.None, descriptors.Length, payload?.Length ?? 0, Crc32C.Of(payload)).CopyTo(header);
        return new WireFrame(header, payload ?? [], descriptors);
    }

    public static WireFrame Of<T>(FrameKind kind, Shape<T> shape, T value) => Of(kind, MessagePackEncoding.Encode(shape, value));
}

/// <summary>One client's connection through the proxy, and what it has asked so far.</summary>
internal sealed class Link(UnixSocket client, UnixSocket server)
{
    private readonly Lock _toClient = new();

    public UnixSocket Client => client;

    public UnixSocket Server => server;

    public List<FrameKind> Requests { get; } = [];

    public FrameKind LastRequest => Requests.Count == 0 ? FrameKind.Invalid : Requests[^1];

    /// <summary>The answer that opened its session; null while it has none.</summary>
    public SessionOpened? Session { get; set; }

    /// <summary>Of the last collection.</summary>
    public long Epoch { get; set; }

    public void ToServer(WireFrame frame) => Send(server, frame);

    public void ToClient(WireFrame frame)
    {
        lock (_toClient) Send(client, frame);
    }

    public void Close()
    {
        client.Abort();
        server.Abort();
    }

    private static void Send(UnixSocket socket, WireFrame frame)
    {
        // Descriptors that were announced belong to the payload's first byte; a gift came with the header.
        var announced = frame.Header[4] != 0;
        if (announced) socket.SendAll(frame.Header);
        else socket.Send(frame.Header, frame.Descriptors);
        if (frame.Payload.Length > 0) socket.Send(frame.Payload, announced ? frame.Descriptors : []);
        foreach (var descriptor in frame.Descriptors) descriptor.Dispose();
    }
}

/// <summary>What stands between client and server: as it is, it changes nothing. A mutant changes one thing.</summary>
internal class Wire
{
    /// <summary>How long the rest of a client's frame may take; the server behind sees whole frames only.</summary>
    public virtual TimeSpan RequestTime => Stand.RequestTime;

    /// <summary>The server's preamble is on its way, or the client's.</summary>
    public virtual void Greet(Link link)
    {
        Copy(link.Server, link.Client);
        Copy(link.Client, link.Server);
    }

    /// <summary>Reads the rest of a client's frame.</summary>
    public virtual void Reading(Action read) => read();

    public virtual void FromClient(Link link, WireFrame frame) => link.ToServer(frame);

    public virtual void FromServer(Link link, WireFrame frame) => link.ToClient(frame);

    /// <summary>The client's connection has ended, the server's has not.</summary>
    public virtual void ClientGone(Link link) => link.Close();

    protected static byte[] Copy(UnixSocket from, UnixSocket? to)
    {
        var bytes = new byte[Preamble.Size];
        from.ReceiveExactly(bytes);
        to?.SendAll(bytes);
        return bytes;
    }
}

/// <summary>Listens where the machine is looked for, and passes everything to where it is.</summary>
internal sealed class Proxy : IDisposable
{
    private readonly UnixListener _listener;
    private readonly string _server;
    private readonly Wire _wire;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Link> _links = [];
    private readonly Thread _acceptor;

    public Proxy(string path, string server, Wire wire)
    {
        (_server, _wire) = (server, wire);
        _listener = UnixListener.Listen(path);
        _acceptor = new Thread(Accept) { IsBackground = true };
        _acceptor.Start();
    }

    public void Dispose()
    {
        _stop.Cancel();
        _acceptor.Join();
        _listener.Dispose();
        lock (_links) _links.ForEach(l => l.Close());
    }

    private void Accept()
    {
        try
        {
            while (_listener.Accept(Timeout.InfiniteTimeSpan, _stop.Token) is { } client)
            {
                UnixSocket server;
                try
                {
                    server = UnixSocket.Connect(_server, Stand.Patience);
                }
                catch (MigrateException)
                {
                    client.Dispose();
                    continue;
                }
                var link = new Link(client, server);
                lock (_links) _links.Add(link);
                new Thread(() => Serve(link)) { IsBackground = true }.Start();
            }
        }
        catch (OperationCanceledException)
        {
            // Disposed of.
        }
    }

    private void Serve(Link link)
    {
        try
        {
            _wire.Greet(link);
        }
        catch (MigrateException)
        {
            // A server that turns a client away does not wait for its preamble; what it says is passed on.
            Pump(link.Server, frame => FromServer(link, frame), read => read(), link.Close);
            return;
        }
        new Thread(() => Pump(link.Server, frame => FromServer(link, frame), read => read(), link.Close)) { IsBackground = true }.Start();
        Pump(link.Client, frame => FromClient(link, frame), _wire.Reading, () => _wire.ClientGone(link));
    }

    private void FromClient(Link link, WireFrame frame)
    {
        link.Requests.Add(frame.Kind);
        _wire.FromClient(link, frame);
    }

    private void FromServer(Link link, WireFrame frame)
    {
        if (frame.Kind == FrameKind.SessionOpened) link.Session = frame.Read(MachineMessages.SessionOpened);
        if (frame.Kind == FrameKind.Collected) link.Epoch = frame.Read(MachineMessages.Collected).Epoch;
        _wire.FromServer(link, frame);
    }

    private void Pump(UnixSocket from, Action<WireFrame> pass, Action<Action> reading, Action gone)
    {
        try
        {
            while (true)
            {
                var room = new FileDescriptor?[UnixSocket.MaxDescriptors];
                var header = new byte[FrameHeader.Size];
                var descriptors = new List<SafeHandle>();
                from.ReceiveTimeout = Timeout.InfiniteTimeSpan;
                Take(from, header);
                var frame = new WireFrame(header, [], []);
                reading(() =>
                {
                    // Behind a header beyond its limit there is nothing to wait for.
                    var limit = FrameTable.TryFind(frame.Kind, out var rule) ? rule.MaxPayload : FrameTable.MaxSkipped;
                    if (frame.Length > 0 && frame.Length <= (ulong)limit && frame.IsHeaderWhole)
                    {
                        from.ReceiveTimeout = _wire.RequestTime;
                        frame = frame with { Payload = new byte[frame.Length] };
                        Take(from, frame.Payload);
                    }
                    pass(frame with { Descriptors = [.. descriptors] });
                });

                void Take(UnixSocket socket, byte[] bytes)
                {
                    var count = socket.ReceiveExactly(bytes, room);
                    for (var i = 0; i < count; i++) descriptors.Add(room[i]!);
                }
            }
        }
        catch (PeerTimedOutException)
        {
            from.Abort();
            gone();
        }
        catch (Exception e) when (e is MigrateException or ObjectDisposedException)
        {
            gone();
        }
    }
}
