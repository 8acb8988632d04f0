using System.Runtime.InteropServices;
using Migrate.Linux;
using Migrate.Linux.Sockets;
using Migrate.Model.Encoding;
using Migrate.Model.Errors;
using Migrate.Model.Ports;
using Migrate.Transfer.Wire;

namespace Migrate.Transfer.Machines;

/// <summary>A connection to a machine socket. Requests go one at a time; several threads may call.</summary>
/// <remarks>An error that the machine's process answers is a <see cref="PeerErrorException"/> and leaves the connection usable; any other ends it.</remarks>
public sealed class MachineClient : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private readonly FrameChannel _channel;
    private readonly Lock _gate = new();

    internal MachineClient(FrameChannel channel, string path)
    {
        _channel = channel;
        Path = path;
        ReplyTimeout = TimeSpan.FromMinutes(1);
    }

    /// <summary>The socket's path.</summary>
    public string Path { get; }

    /// <summary>How long to wait for an answer; a minute at first.</summary>
    public TimeSpan ReplyTimeout
    {
        get => _channel.IdleTimeout;
        set => _channel.IdleTimeout = value;
    }

    /// <summary>Connects, and checks that the process behind the socket is this user's or root's.</summary>
    /// <param name="path">The socket's path, at most 107 bytes.</param>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Unreachable"/>, <see cref="ErrorCode.Denied"/>, or no machine socket.</exception>
    public static MachineClient Connect(string path)
    {
        var channel = new FrameChannel(new UnixByteStream(Trusted(UnixSocket.Connect(path, Patience))), StreamPurpose.Machine) { IdleTimeout = Patience };
        try
        {
            channel.ExchangePreambles();
            return new MachineClient(channel, path);
        }
        catch
        {
            channel.Dispose();
            throw;
        }
    }

    /// <summary>How the machine is.</summary>
    public MachineStatus Status() => Ask(FrameKind.Status, FrameKind.MachineStatus, MachineMessages.Status);

    /// <summary>Describes the machine while it runs.</summary>
    public MachineReport Describe() => Ask(FrameKind.Describe, FrameKind.MachineReport, Documents.MachineReport);

    /// <summary>Takes the machine's one migration session, as its source.</summary>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Busy"/>: another holds it, named in the message; <see cref="ErrorCode.WrongState"/>;
    /// <see cref="ErrorCode.Refused"/>: part of the machine cannot be described, or its memory is not what it must be.</exception>
    public SourceSession OpenSource() => SourceSession.Open(this);

    /// <summary>Takes the session of a machine that is still to come.</summary>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Busy"/>: another holds it, named in the message; <see cref="ErrorCode.WrongState"/>.</exception>
    public IncomingSession OpenIncoming() => IncomingSession.Open(this);

    /// <summary>Stops a running machine that no session holds.</summary>
    public void Pause() => Tell(FrameKind.Pause);

    /// <summary>Lets a paused machine that no session holds run on.</summary>
    public void Resume() => Tell(FrameKind.Resume);

    /// <summary>Sends the guest of a running machine an event of SDEI.</summary>
    /// <param name="vcpu">To which vCPU.</param>
    /// <param name="number">Which event.</param>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Unsupported"/>: the VMM has no SDEI; <see cref="ErrorCode.NotFound"/>: the guest handles
    /// no such event there; <see cref="ErrorCode.WrongState"/>: it does not run.</exception>
    public void InjectEvent(int vcpu, uint number) => Tell(FrameKind.InjectEvent, MachineMessages.Event, new GuestEvent(vcpu, number));

    /// <summary>Lets a released machine run here again: only when it is certain that the other side never does.</summary>
    /// <exception cref="MigrateException"><see cref="ErrorCode.WrongState"/>: not released, or under another id.</exception>
    public void ResumeReleased(string handoverId) => Tell(FrameKind.ResumeReleased, MachineMessages.Handover, handoverId);

    /// <summary>Ends a machine that was released under this id; without an id, one that is paused or still to come. Its process ends.</summary>
    /// <exception cref="MigrateException"><see cref="ErrorCode.WrongState"/>: it runs, or was released under another id.</exception>
    public void Destroy(string? handoverId = null) => Tell(FrameKind.Destroy, MachineMessages.Handover, handoverId ?? "");

    /// <summary>Ends the connection; a session on it is lost.</summary>
    public void Dispose()
    {
        _channel.Abort();
        lock (_gate) _channel.Dispose();
    }

    /// <summary>Ends the connection from any thread.</summary>
    public void Abort() => _channel.Abort();

    internal void Tell(FrameKind request) => Exchange(() => _channel.Send(request), ExpectDone);

    internal void Tell<T>(FrameKind request, Shape<T> shape, T value) => Exchange(() => _channel.Send(request, shape, value), ExpectDone);

    internal R Ask<R>(FrameKind request, FrameKind reply, Shape<R> replyShape) =>
        Exchange(() => _channel.Send(request), () => _channel.Expect(reply, replyShape));

    internal R Ask<T, R>(FrameKind request, Shape<T> shape, T value, FrameKind reply, Shape<R> replyShape) =>
        Exchange(() => _channel.Send(request, shape, value), () => _channel.Expect(reply, replyShape));

    /// <summary>A request whose answer brings descriptors, owned by the caller.</summary>
    internal R AskForDescriptors<T, R>(FrameKind request, Shape<T>? shape, T value, FrameKind reply, Shape<R> replyShape, List<SafeHandle> descriptors) =>
        Exchange(
            () =>
            {
                if (shape is null) _channel.Send(request);
                else _channel.Send(request, shape, value);
            },
            () =>
            {
                var room = new FileDescriptor?[FrameTable.Of(reply).MaxDescriptors];
                var frame = _channel.Receive(room, out var count);
                for (var i = 0; i < count; i++) descriptors.Add(room[i]!);
                if (frame.Kind != reply) throw _channel.Unexpected(frame.Kind, FrameTable.NameOf(reply));
                return frame.Decode(replyShape);
            });

    private static UnixSocket Trusted(UnixSocket socket)
    {
        try
        {
            socket.RequireTrustedPeer();
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private bool ExpectDone()
    {
        _channel.Expect(FrameKind.Done);
        return true;
    }

    private R Exchange<R>(Action send, Func<R> receive)
    {
        lock (_gate)
        {
            _channel.Request(send);
            return receive();
        }
    }
}
