using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Migrate.Linux;
using Migrate.Linux.Memory;
using Migrate.Model.Encoding;
using Migrate.Model.Errors;
using Migrate.Transfer.Machines;
using Migrate.Transfer.Wire;

namespace Migrate.Transfer.Conformance.Checks;

/// <summary>What a connection is, before anything is asked of the machine.</summary>
internal static class ConnectionChecks
{
    /// <summary>Most connections that a server may hold open, by the specification.</summary>
    public const int MostConnections = 256;

    // Numbers that no version has given to a kind.
    private const FrameKind UnknownKind = (FrameKind)0x7ff0;

    [SupportedOSPlatform("linux")]
    public static void SocketMode(Bench bench)
    {
        var mode = File.GetUnixFileMode(bench.Source.Path);
        if (mode != (UnixFileMode.UserRead | UnixFileMode.UserWrite))
            throw new BrokenPromiseException($"{bench.Source.Path} has the mode {Convert.ToString((int)mode, 8)}");
    }

    public static void PreambleFirst(Bench bench)
    {
        var raw = bench.Source.ConnectRaw(greet: false);
        try
        {
            raw.Channel.ReadPreamble();
        }
        catch (MigrateException e)
        {
            throw new BrokenPromiseException($"a client that said nothing yet got no preamble: {e.Message}");
        }
    }

    public static void PreambleJudged(Bench bench)
    {
        (string What, int Offset)[] spoiled = [("a preamble with another magic", 0), ("a preamble of another version", 8), ("a preamble of another purpose", 10), ("a preamble with a flag that must be understood", 13)];
        foreach (var (what, offset) in spoiled)
        {
            var bytes = new byte[Preamble.Size];
            Preamble.For(StreamPurpose.Machine).CopyTo(bytes);
            bytes[offset] ^= 1;
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(20), Crc32C.Of(bytes.AsSpan(0, 20)));
            // A request behind it, so that a server that reads on has something to answer.
            bench.Source.ConnectRaw(greet: false).RequireClosed(what, socket => socket.SendAll([.. bytes, .. RawConnection.Frame(FrameKind.Status)]));
        }
        var damaged = new byte[Preamble.Size];
        Preamble.For(StreamPurpose.Machine).CopyTo(damaged);
        damaged[20] ^= 1;
        bench.Source.ConnectRaw(greet: false).RequireClosed("a preamble with a wrong checksum", socket => socket.SendAll(damaged));
    }

    public static void HeaderDamaged(Bench bench)
    {
        var damaged = RawConnection.Frame(FrameKind.Status);
        damaged[20] ^= 1;
        bench.Source.ConnectRaw().RequireClosed("a header with a wrong checksum", socket => socket.SendAll(damaged));
        (string What, int Offset)[] reserved = [("a header with a reserved flag", 3), ("a header with a reserved byte", 6)];
        foreach (var (what, offset) in reserved)
            bench.Source.ConnectRaw().RequireClosed(what, socket => socket.SendAll(RawConnection.Header(FrameKind.Status, 0, spoil: bytes => bytes[offset] = 1)));
        bench.Source.ConnectRaw().RequireClosed("a frame of kind 0", socket => socket.SendAll(RawConnection.Header(FrameKind.Invalid, 0)));
    }

    public static void PayloadDamaged(Bench bench)
    {
        var frame = RawConnection.Frame(FrameKind.Destroy, MessagePackEncoding.Encode(MachineMessages.Handover, "damaged-on-the-way"));
        frame[^1] ^= 1;
        bench.Source.ConnectRaw().RequireClosed("a payload with a wrong checksum", socket => socket.SendAll(frame));
    }

    public static void UnknownFrame(Bench bench)
    {
        var tolerant = bench.Source.ConnectRaw();
        tolerant.Socket.SendAll([.. RawConnection.Frame(UnknownKind, new byte[1000], FrameFlags.Optional), .. RawConnection.Frame(FrameKind.Alive, flags: FrameFlags.Optional)]);
        try
        {
            tolerant.Status();
        }
        catch (MigrateException e)
        {
            throw new BrokenPromiseException($"behind an optional frame of an unknown kind, status was not answered: {e.Message}");
        }
        bench.Source.ConnectRaw().RequireClosed("a frame of an unknown kind that is not optional", socket => socket.SendAll(RawConnection.Frame(UnknownKind)));
        bench.Source.ConnectRaw().RequireClosed("a frame that is no request", socket => socket.SendAll(RawConnection.Frame(FrameKind.Done)));
    }

    public static void FrameLimit(Bench bench)
    {
        foreach (var kind in (ReadOnlySpan<FrameKind>)[FrameKind.Status, FrameKind.Collect, FrameKind.Read, FrameKind.Execute])
        {
            var rule = FrameTable.Of(kind);
            bench.Source.ConnectRaw().RequireClosed(
                $"a header of {rule.Name} that promises {rule.MaxPayload + 1} bytes", socket => socket.SendAll(RawConnection.Header(kind, rule.MaxPayload + 1)));
        }
    }

    public static void Members(Bench bench)
    {
        // MessagePack by hand: the encoder writes nothing wrong. A throttle is {"percent": 0}.
        byte[] name = [0xa7, .. "percent"u8];
        (string What, byte[] Payload)[] wrong =
        [
            ("a map with an unknown member", [0x82, .. name, 0, 0xa1, (byte)'x', 0]),
            ("a map without a required member", [0x80]),
            ("a map with a repeated member", [0x82, .. name, 0, .. name, 0]),
            ("a payload with a byte behind its map", [0x81, .. name, 0, 0xc0]),
            ("a member of another type", [0x81, .. name, 0xa1, (byte)'0']),
        ];
        foreach (var (what, payload) in wrong)
        {
            var raw = OpenSession(bench.Source);
            raw.RequireClosed(what, socket => socket.SendAll(RawConnection.Frame(FrameKind.Throttle, payload)));
            if (bench.Source.Settle(LifecycleState.Running) is { } why) throw new BrokenPromiseException($"after {what}: {why}");
        }
    }

    public static void SurplusDescriptors(Bench bench)
    {
        using var gift = MemFd.Create("gift", 4096);
        bench.Source.ConnectRaw().RequireClosed(
            "a descriptor that was not announced", socket => socket.Send(RawConnection.Frame(FrameKind.Status), [(SafeHandle)gift]));
        bench.Source.ConnectRaw().RequireClosed("descriptors announced with a request", socket =>
        {
            var payload = MessagePackEncoding.Encode(MachineMessages.Handover, "");
            socket.SendAll(RawConnection.Header(FrameKind.Release, payload.Length, Crc32C.Of(payload), descriptors: 0, spoil: bytes => bytes[4] = 1));
            socket.Send(payload, [(SafeHandle)gift]);
        });
    }

    public static void ErrorStands(Bench bench)
    {
        var client = bench.Source.Connect();
        Subject.Refused(ErrorCode.WrongState, "resume of a running machine", client.Resume);
        try
        {
            if (client.Status().State != LifecycleState.Running) throw new BrokenPromiseException("resume of a running machine was refused, and the machine runs no more");
        }
        catch (MigrateException e) when (e is not BrokenPromiseException)
        {
            throw new BrokenPromiseException($"after an error the connection served no more: {e.Message}");
        }
    }

    public static void SlowClient(Bench bench)
    {
        var slow = bench.Source.ConnectRaw();
        slow.Socket.SendAll(RawConnection.Frame(FrameKind.Destroy, MessagePackEncoding.Encode(MachineMessages.Handover, "never-sent-whole"))[..(FrameHeader.Size + 1)]);
        // So that the server has begun to read it.
        bench.Source.Watch();
        try
        {
            bench.Source.Status();
        }
        catch (MigrateException e)
        {
            throw new BrokenPromiseException($"while a request of another client was outstanding, status was not answered: {e.Message}");
        }
    }

    public static void ConnectionLimit(Bench bench)
    {
        var first = bench.Source.Connect();
        for (var open = 1; open <= MostConnections; open++)
        {
            try
            {
                bench.Source.ConnectAtOnce().Status();
            }
            catch (PeerErrorException e) when (e.Code == ErrorCode.Busy)
            {
                first.Status();
                return;
            }
            catch (MigrateException e)
            {
                throw new BrokenPromiseException($"connection {open + 1} was not refused with error 32 (busy): {e.Message}");
            }
        }
        throw new BrokenPromiseException($"{MostConnections + 1} connections were served at a time");
    }

    public static void RequestTime(Bench bench)
    {
        var allowed = bench.Source.Options.RequestTime;
        bench.Source.ConnectRaw().RequireClosed(
            $"a request whose rest was missing for {allowed.TotalSeconds:0.#} s",
            socket => socket.SendAll(RawConnection.Frame(FrameKind.Destroy, MessagePackEncoding.Encode(MachineMessages.Handover, "never-sent-whole"))[..(FrameHeader.Size + 1)]),
            allowed + bench.Source.Options.Patience);
    }

    private static RawConnection OpenSession(Subject machine)
    {
        var raw = machine.ConnectRaw();
        raw.Channel.Send(FrameKind.OpenSource);
        var room = new FileDescriptor?[1];
        var opened = raw.Channel.Receive(room, out _);
        room[0]?.Dispose();
        return opened.Kind == FrameKind.SessionOpened ? raw : throw new BrokenPromiseException($"open-source was answered with {FrameTable.NameOf(opened.Kind)}");
    }
}
