using System.Diagnostics;
using System.Globalization;
using System.Net;
using Migrate.Linux.Memory;
using Migrate.Linux.Sockets;

namespace Migrate.Benchmarks;

/// <summary>
/// The yardstick: moves the same bytes over one loopback TCP connection into equally fresh memory, with nothing else in the way.
/// Two processes, as a move has two: a receiver that maps fresh memory, a sender that has filled its own.
/// </summary>
internal static unsafe class MinimalMove
{
    private const int Chunk = 1 << 20;

    /// <summary>Receives into a fresh memfd; prints its port, then acknowledges with one byte.</summary>
    public static int Receive(string[] args)
    {
        var bytes = long.Parse(args[0], CultureInfo.InvariantCulture);
        using var memory = MemFd.Create("minimal", bytes);
        using var mapping = memory.Map(MappingAccess.ReadWrite);
        using var listener = TcpListenerSocket.Listen(new IPEndPoint(IPAddress.Loopback, 0));
        Console.WriteLine(listener.LocalEndPoint.Port);
        using var connection = listener.Accept(TimeSpan.FromSeconds(30)) ?? throw new TimeoutException("no sender came");
        for (long at = 0; at < bytes; at += Chunk)
            connection.ReceiveExactly(mapping.Pointer + at, (nint)Math.Min(Chunk, bytes - at));
        connection.SendAll([1]);
        return 0;
    }

    /// <summary>Fills its memory, sends it, waits for the acknowledgement, prints the seconds.</summary>
    public static int Send(string[] args)
    {
        var bytes = long.Parse(args[0], CultureInfo.InvariantCulture);
        var port = int.Parse(args[1], CultureInfo.InvariantCulture);
        using var memory = MemFd.Create("minimal", bytes);
        using var mapping = memory.Map(MappingAccess.ReadWrite);
        new Span<byte>(mapping.Pointer, Chunk).Fill(0x5a);
        for (long at = Chunk; at < bytes; at += Chunk) Buffer.MemoryCopy(mapping.Pointer, mapping.Pointer + at, Chunk, Chunk);
        using var connection = TcpConnection.Connect("127.0.0.1", port, TimeSpan.FromSeconds(30));
        connection.NoDelay = true;
        var clock = Stopwatch.StartNew();
        for (long at = 0; at < bytes; at += Chunk) connection.SendAll(mapping.Pointer + at, (nint)Math.Min(Chunk, bytes - at));
        connection.ReceiveExactly(new byte[1]);
        Console.WriteLine(clock.Elapsed.TotalSeconds.ToString("R", CultureInfo.InvariantCulture));
        return 0;
    }

    /// <summary>Runs both and returns bytes a second.</summary>
    public static double Measure(long bytes)
    {
        using var receiver = Child.Start(Child.Self, "minimal-receive", $"{bytes}");
        var port = receiver.ReadLine();
        using var sender = Child.Start(Child.Self, "minimal-send", $"{bytes}", port);
        var seconds = double.Parse(sender.ReadLine(), CultureInfo.InvariantCulture);
        sender.WaitForSuccess();
        receiver.WaitForSuccess();
        return bytes / seconds;
    }
}
