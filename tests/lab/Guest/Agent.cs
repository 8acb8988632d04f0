using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Migrate.LabGuest.Jobs;

namespace Migrate.LabGuest;

/// <summary>Takes jobs from the lab, one after the other, until it says stop or is gone.</summary>
internal static class Agent
{
    /// <summary>Calls the lab over TCP.</summary>
    public static int Run(string host, int port, string token)
    {
        using var client = new TcpClient(host, port) { NoDelay = true };
        return Run(client.GetStream(), token);
    }

    /// <summary>Talks to the lab through a device, a virtio serial port.</summary>
    public static int Run(string device, string token) =>
        Run(new FileStream(device, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0), token);

    private static int Run(Stream stream, string token)
    {
        using var channel = new Channel(stream);
        var release = File.ReadAllText("/proc/sys/kernel/osrelease").Trim();
        var boot = File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
        channel.Send(new Message(MessageKind.Hello, release, $"{boot} {token}"));

        var inputs = new Dictionary<string, ReadOnlyMemory<byte>>();
        while (true)
        {
            var message = channel.Receive();
            switch (message.Kind)
            {
                case MessageKind.Input:
                    inputs[message.Name] = message.Payload;
                    break;
                case MessageKind.Job:
                    Execute(channel, message.Name, inputs);
                    inputs = [];
                    break;
                case MessageKind.Stop:
                    return 0;
                default:
                    throw new InvalidDataException($"the lab sent {message.Kind}, which only an agent sends");
            }
        }
    }

    private static void Execute(Channel channel, string name, Dictionary<string, ReadOnlyMemory<byte>> inputs)
    {
        var clock = Stopwatch.StartNew();
        var error = "";
        try
        {
            var job = JobTable.Find(name) ?? throw new CheckFailedException($"this agent knows no job '{name}'");
            job.Run(new JobContext(inputs, channel.Send));
        }
        catch (Exception failure) when (failure is not IOException)
        {
            error = failure.ToString();
        }

        channel.Send(new Message(MessageKind.Note, "", string.Create(CultureInfo.InvariantCulture, $"{name} took {clock.Elapsed.TotalSeconds:F1} s")));
        channel.Send(new Message(MessageKind.Done, name, error));
    }
}
