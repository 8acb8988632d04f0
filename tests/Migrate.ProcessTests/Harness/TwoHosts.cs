using Migrate.Transfer.Handover;

namespace Migrate.ProcessTests.Harness;

/// <summary>A source and a destination with its agent, each with a state directory of its own.</summary>
public sealed class TwoHosts : IDisposable
{
    private const string AnyPort = "127.0.0.1:0";
    private Running? _agent;
    private int _machines;

    internal Vmmigrate Source { get; } = new();

    internal Vmmigrate Destination { get; } = new();

    /// <summary>Where the agent listens: the kernel chose the port at its first start, later starts keep it, since the source's records name it.</summary>
    internal string Address { get; private set; } = AnyPort;

    internal Running Agent => _agent ?? throw new InvalidOperationException("no agent was started");

    internal StateDirectory SourceState => new(Source.State);

    internal StateDirectory DestinationState => new(Destination.State);

    /// <summary>Starts the agent, or starts it again once it has ended.</summary>
    internal Running StartAgent(string? killAt = null, params string[] more)
    {
        _agent?.Wait();
        _agent = Launch(killAt, more);
        Address = _agent.WaitFor("listening on").Split(' ')[^1];
        return _agent;
    }

    /// <summary>Starts an agent that is expected to end by itself.</summary>
    internal Ended RunAgent(string killAt) => Launch(killAt, []).Wait();

    /// <summary>Starts a machine of a name of its own at the source.</summary>
    internal Moving StartMachine(string? killAt = null, params string[] more) => new(this, $"vm{++_machines}", killAt, more);

    /// <summary>One that the agent's host will refuse.</summary>
    internal Moving StartRefusedMachine() => StartMachine(null, Hosting.RefusedMachine);

    private Running Launch(string? killAt, string[] more) =>
        Destination.Start(["agent", "--listen", Address, "--end-with-stdin", .. Hosting.Agent, .. more], killAt);

    public void Dispose()
    {
        Source.Dispose();
        Destination.Dispose();
    }
}
