using System.Runtime.InteropServices;
using Migrate.Model.Encoding;
using Migrate.Model.Errors;
using Migrate.Transfer.Machines;
using Migrate.Transfer.Wire;

namespace Migrate.Tests.Transfer.Conformance;

/// <summary>Frames of the client that something else is made of.</summary>
internal sealed class Asks(Func<Link, WireFrame, WireFrame?> change) : Wire
{
    public override void FromClient(Link link, WireFrame frame)
    {
        if (change(link, frame) is { } changed) link.ToServer(changed);
    }
}

/// <summary>Frames of the server that something else is made of.</summary>
internal sealed class Answers(Func<Link, WireFrame, WireFrame> change) : Wire
{
    public override void FromServer(Link link, WireFrame frame) => link.ToClient(change(link, frame));
}

/// <summary>Says that it has done what the server refused.</summary>
/// <param name="request">Which request.</param>
/// <param name="code">With which code it was refused.</param>
/// <param name="when">In which cases.</param>
internal sealed class Lies(FrameKind request, ErrorCode code, Func<Link, bool> when) : Wire
{
    public override void FromServer(Link link, WireFrame frame)
    {
        var lies = frame.Kind == FrameKind.Error && link.LastRequest == request && frame.Read(ErrorMessage.Shape).Code == (int)code && when(link);
        link.ToClient(lies ? WireFrame.Of(FrameKind.Done) : frame);
    }
}

/// <summary>Waits for the client's preamble before it sends its own.</summary>
internal sealed class GreetsLast : Wire
{
    public override void Greet(Link link)
    {
        var client = Copy(link.Client, null);
        Copy(link.Server, link.Client);
        link.Server.SendAll(client);
    }
}

/// <summary>Takes any preamble for a good one.</summary>
internal sealed class GreetsAnybody : Wire
{
    public override void Greet(Link link)
    {
        var own = Copy(link.Server, link.Client);
        Copy(link.Client, null);
        link.Server.SendAll(own);
    }
}

/// <summary>Waits for a slow client, and everybody with it.</summary>
internal sealed class WaitsForOne : Wire
{
    private readonly Lock _gate = new();

    // Longer than a check waits for others to be served, and short enough to be over before the next.
    public override TimeSpan RequestTime => Stand.Patience * 1.5;

    public override void Reading(Action read)
    {
        lock (_gate) read();
    }
}

/// <summary>Sees late that a client is gone.</summary>
/// <param name="when">Of which clients.</param>
internal sealed class SeesLate(Func<Link, bool> when) : Wire
{
    public override void ClientGone(Link link)
    {
        // Longer than a check waits for it, and short enough to be over before the next one gives up.
        if (when(link)) Thread.Sleep(Stand.Patience * 1.5);
        link.Close();
    }
}

/// <summary>Lets a released machine run when its session's connection has ended.</summary>
/// <param name="server">Its server.</param>
/// <param name="when">After which connections.</param>
internal sealed class RunsAfterLoss(MachineServer server, Func<Link, bool> when) : Wire
{
    public override void ClientGone(Link link)
    {
        if (server.Status is { State: LifecycleState.Released } status && when(link)) Resume(status.HandoverId);
        link.Close();
    }

    private void Resume(string id)
    {
        try
        {
            using var client = MachineClient.Connect(server.Path);
            client.ResumeReleased(id);
        }
        catch (MigrateException)
        {
            // Somebody else let it run first.
        }
    }
}

/// <summary>Closes the connection behind an error.</summary>
internal sealed class ClosesOnError : Wire
{
    public override void FromServer(Link link, WireFrame frame)
    {
        // Judged before the client has the answer: it asks on at once.
        var closes = frame.Kind == FrameKind.Error && link.Requests is [FrameKind.Status, FrameKind.Resume];
        link.ToClient(frame);
        if (closes) link.Close();
    }
}

/// <summary>Changes of single frames.</summary>
internal static class Change
{
    /// <summary>A payload as something else.</summary>
    public static WireFrame With<T>(this WireFrame frame, Shape<T> shape, Func<T, T> change) => WireFrame.Of(frame.Kind, shape, change(frame.Read(shape)));

    /// <summary>Something that is answered, in place of what must end the connection.</summary>
    public static WireFrame Tolerated(this WireFrame frame, bool when) => when ? WireFrame.Of(FrameKind.Status) : frame;

    public static WireFrame WithMendedChecksum(this WireFrame frame)
    {
        if (frame.Payload.Length == 0) return frame;
        return WireFrame.Of(frame.Kind, frame.Payload);
    }

    public static WireFrame WithoutGifts(this WireFrame frame)
    {
        if (frame.Descriptors.Length == 0) return frame;
        foreach (var gift in frame.Descriptors) gift.Dispose();
        return WireFrame.Of(frame.Kind, frame.Payload);
    }

    public static WireFrame WithMendedMembers(this WireFrame frame)
    {
        if (frame.Kind != FrameKind.Throttle) return frame;
        try
        {
            frame.Read(MachineMessages.Percent);
            return frame;
        }
        catch (MigrateException)
        {
            return WireFrame.Of(FrameKind.Throttle, MachineMessages.Percent, 0);
        }
    }

    /// <summary>Descriptors of something else.</summary>
    public static WireFrame WithOther(this WireFrame frame, Func<long, SafeHandle> make)
    {
        var sizes = frame.Descriptors.Select(d =>
        {
            using (d) return RandomAccess.GetLength(new Microsoft.Win32.SafeHandles.SafeFileHandle(d.DangerousGetHandle(), ownsHandle: false));
        }).ToList();
        return frame with { Descriptors = [.. sizes.Select(make)] };
    }

    /// <summary>A file that is no memfd.</summary>
    public static SafeHandle PlainFile(long size)
    {
        var path = Path.GetTempFileName();
        var handle = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
        RandomAccess.SetLength(handle, size);
        File.Delete(path);
        return handle;
    }
}
