using System.Net;
using System.Net.Sockets;

namespace Migrate.LabGuest.Jobs;

/// <summary>Do two hosts reach each other, and are they two? Sends each other's boot id and a mebibyte there and back.</summary>
internal static class ReachJob
{
    private const int Size = 1 << 20;

    public static void Destination(JobContext context)
    {
        using var listener = new TcpListener(IPAddress.Any, PairJob.Port);
        listener.Start();
        context.Listening();
        context.Case("is reached by another host", () =>
        {
            using var client = listener.AcceptTcpClient();
            var stream = client.GetStream();
            Greet(stream);
            var content = new byte[Size];
            stream.ReadExactly(content);
            stream.Write(content);
        });
    }

    public static void Source(JobContext context) => context.Case("reaches another host", () =>
    {
        using var client = new TcpClient();
        client.Connect(context.Peer);
        var stream = client.GetStream();
        Greet(stream);
        var content = new byte[Size];
        new Random(1).NextBytes(content);
        var sending = new Thread(() => stream.Write(content));
        sending.Start();
        var back = new byte[Size];
        stream.ReadExactly(back);
        sending.Join();
        CheckFailedException.That(content.AsSpan().SequenceEqual(back), "what came back is not what was sent");
    });

    private static void Greet(Stream stream)
    {
        var own = Guid.Parse(File.ReadAllText("/proc/sys/kernel/random/boot_id")).ToByteArray();
        var other = new byte[own.Length];
        stream.Write(own);
        stream.ReadExactly(other);
        CheckFailedException.That(!own.AsSpan().SequenceEqual(other), "both ends have the same boot id: one host talks to itself");
    }
}
