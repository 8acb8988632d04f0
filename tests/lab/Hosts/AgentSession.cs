using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Migrate.LabGuest;
using Migrate.LabGuest.Jobs;

namespace Migrate.Lab.Hosts;

/// <summary>The lab's end of the line to one agent. Listens on a loopback port; whoever knows the token is the agent.</summary>
internal sealed class AgentSession : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private Channel? _channel;
    private TcpClient? _client;

    public AgentSession() => _listener.Start();

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public string Token { get; } = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    /// <summary>Kernel release, as the agent says.</summary>
    public string Release { get; private set; } = "";

    /// <summary>Waits for the agent.</summary>
    public async Task AcceptAsync(CancellationToken cancel)
    {
        while (true)
        {
            var client = await _listener.AcceptTcpClientAsync(cancel);
            client.NoDelay = true;
            var channel = new Channel(client.GetStream());
            using var cut = cancel.Register(client.Dispose);
            Message hello;
            try
            {
                hello = await Task.Run(channel.Receive, CancellationToken.None);
            }
            catch (Exception stranger) when (stranger is IOException or InvalidDataException or ObjectDisposedException)
            {
                client.Dispose();
                cancel.ThrowIfCancellationRequested();
                continue;
            }

            if (hello.Kind == MessageKind.Hello && hello.Text.Split(' ') is [_, var token] && token == Token)
            {
                (_client, _channel, Release) = (client, channel, hello.Name);
                return;
            }

            client.Dispose();
        }
    }

    /// <summary>Runs a job and hands its messages to the sink until it is done.</summary>
    /// <returns>What ended it early, or an empty text.</returns>
    public async Task<string> RunAsync(LabJob job, IReadOnlyList<Message> inputs, Action<Message> sink, CancellationToken cancel)
    {
        var channel = _channel ?? throw new InvalidOperationException("no agent yet");
        using var cut = cancel.Register(_client!.Dispose);
        return await Task.Run(
            () =>
            {
                foreach (var input in inputs)
                    channel.Send(input);
                channel.Send(new Message(MessageKind.Job, job.Name));
                while (true)
                {
                    var message = channel.Receive();
                    if (message.Kind == MessageKind.Done)
                        return message.Text;
                    sink(message);
                }
            },
            CancellationToken.None);
    }

    /// <summary>Asks the agent to end.</summary>
    /// <returns>Whether there is one to hear it.</returns>
    public bool Stop()
    {
        try
        {
            _channel?.Send(new Message(MessageKind.Stop));
            return _channel is not null;
        }
        catch (Exception gone) when (gone is IOException or ObjectDisposedException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        _listener.Dispose();
        _channel?.Dispose();
        _client?.Dispose();
    }
}
