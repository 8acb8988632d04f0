using Migrate.Linux.Sockets;
using Migrate.Model.Encoding;
using Migrate.Model.Errors;
using Migrate.Transfer.Wire;

namespace Migrate.Transfer.Machines;

/// <summary>One client of a machine socket: requests in, one answer to each out.</summary>
internal sealed class MachineConnection
{
    private readonly FrameChannel _channel;
    private readonly HostedMachine _machine;
    private readonly MachineServerOptions _options;
    private readonly string _who;

    public MachineConnection(IByteStream stream, string who, HostedMachine machine, MachineServerOptions options)
    {
        _who = who;
        _channel = new FrameChannel(stream, StreamPurpose.Machine);
        _machine = machine;
        _options = options;
    }

    public void Abort() => _channel.Abort();

    /// <summary>Serves until the client leaves or breaks the protocol. Nothing that it sends ends more than this connection.</summary>
    public void Run()
    {
        try
        {
            _channel.IdleTimeout = _options.RequestTimeout;
            _channel.ExchangePreambles();
            while (true) ServeNext();
        }
        catch (PeerLostException e) when (e.Done == 0)
        {
            // The client left between two requests, as every client does in the end.
        }
        catch (MigrateException e)
        {
            _channel.TrySendError(e);
            _options.Report?.Invoke($"{_who}: {e.Message}");
        }
        catch (Exception e)
        {
            // A defect of the machine behind the socket: it costs this connection, not the VM.
            _channel.TrySendError(new MigrateException(ErrorCode.System, $"the machine failed: {e.GetType().Name}: {e.Message}"));
            _options.Report?.Invoke($"{_who}: {e}");
        }
        finally
        {
            // In this order, so that a client that waits for the end finds the machine going on.
            _machine.Lost(this);
            _channel.Dispose();
        }
    }

    private void ServeNext()
    {
        // A session may rest for the length of a round; its end is seen at once, since the kernel closes a dead client's socket.
        _channel.IdleTimeout = _machine.IsHeldBy(this) ? Timeout.InfiniteTimeSpan : _options.IdleTimeout;
        var header = _channel.ReceiveHeader();
        _channel.IdleTimeout = _options.RequestTimeout;
        var frame = _channel.ReceiveRest(header);
        try
        {
            Answer(frame);
        }
        catch (MigrateException e) when (!_channel.IsBroken)
        {
            _channel.SendError(e);
        }
        finally
        {
            _machine.Answered(this);
        }
    }

    private void Answer(Frame frame)
    {
        switch (frame.Kind)
        {
            case FrameKind.Status:
                _channel.Send(FrameKind.MachineStatus, MachineMessages.Status, _machine.Status());
                break;
            case FrameKind.Describe:
                _channel.Send(FrameKind.MachineReport, Documents.MachineReport, _machine.Describe(this));
                break;
            case FrameKind.OpenSource:
                var opened = _machine.OpenSource(this, _who, out var bitmap);
                _channel.Send(FrameKind.SessionOpened, MachineMessages.SessionOpened, opened, [bitmap]);
                break;
            case FrameKind.OpenIncoming:
                var incoming = _machine.OpenIncoming(this, _who);
                _channel.Send(FrameKind.SessionOpened, MachineMessages.SessionOpened, incoming);
                break;
            case FrameKind.CloseSession:
                _machine.CloseSession(this);
                _channel.Send(FrameKind.Done);
                break;
            case FrameKind.GetMemory:
                var memory = _machine.GetMemory(this, frame.Decode(MachineMessages.FirstSlot), out var descriptors);
                _channel.Send(FrameKind.Memory, MachineMessages.Memory, memory, descriptors);
                break;
            case FrameKind.Collect:
                _channel.Send(FrameKind.Collected, MachineMessages.Collected, _machine.Collect(this, frame.Decode(MachineMessages.Consumed)));
                break;
            case FrameKind.Throttle:
                _machine.Throttle(this, frame.Decode(MachineMessages.Percent));
                _channel.Send(FrameKind.Done);
                break;
            case FrameKind.Quiesce:
                _machine.Quiesce(this);
                _channel.Send(FrameKind.Done);
                break;
            case FrameKind.Capture:
                _channel.Send(FrameKind.Captured, Documents.MachineState, _machine.Capture(this));
                break;
            case FrameKind.Unquiesce:
                _machine.Unquiesce(this);
                _channel.Send(FrameKind.Done);
                break;
            case FrameKind.Release:
                _machine.Release(this, frame.Decode(MachineMessages.Handover));
                _channel.Send(FrameKind.Done);
                break;
            case FrameKind.Begin:
                _machine.Begin(this, frame.Decode(Documents.VmDescription));
                _channel.Send(FrameKind.Done);
                break;
            case FrameKind.Execute:
                _channel.Send(FrameKind.Answers, MachineMessages.Answers, _machine.Execute(this, frame.Decode(MachineMessages.Steps)));
                break;
            case FrameKind.Read:
                _channel.Send(FrameKind.Values, MachineMessages.Values, _machine.Read(this, frame.Decode(MachineMessages.Registers)));
                break;
            case FrameKind.StartMachine:
                _machine.Start(this, frame.Decode(MachineMessages.Handover));
                _channel.Send(FrameKind.Done);
                break;
            case FrameKind.Pause:
                _machine.Pause(this);
                _channel.Send(FrameKind.Done);
                break;
            case FrameKind.Resume:
                _machine.Resume(this);
                _channel.Send(FrameKind.Done);
                break;
            case FrameKind.InjectEvent:
                _machine.InjectEvent(this, frame.Decode(MachineMessages.Event));
                _channel.Send(FrameKind.Done);
                break;
            case FrameKind.ResumeReleased:
                _machine.ResumeReleased(this, frame.Decode(MachineMessages.Handover));
                _channel.Send(FrameKind.Done);
                break;
            case FrameKind.Destroy:
                _machine.Destroy(this, frame.Decode(MachineMessages.Handover));
                _channel.Send(FrameKind.Done);
                break;
            default:
                throw _channel.Unexpected(frame.Kind, "a request to a machine");
        }
    }
}
