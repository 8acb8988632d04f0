using System.Net;
using Migrate.Linux.Processes;
using Migrate.Model.Errors;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;

namespace Migrate.Transfer.Agent;

/// <summary>Where an agent learns what its host accepts.</summary>
public interface IProfileSource
{
    /// <summary>A profile of this boot, fresh enough to plan with. Called from many threads.</summary>
    /// <exception cref="MigrateException">The host cannot be measured.</exception>
    HostProfile Measure();
}

/// <summary>A VMM that waits for a machine.</summary>
/// <param name="SocketPath">Its machine socket.</param>
/// <param name="IsOurs">Whether it was started for this move, and so is ended when the move fails.</param>
public readonly record struct IncomingVmm(string SocketPath, bool IsOurs);

/// <summary>Where an agent finds VMMs for incoming machines: it hosts none itself.</summary>
public interface IIncomingLauncher
{
    /// <summary>A VMM whose machine socket answers. Called from many threads.</summary>
    /// <param name="machine">What it is for.</param>
    /// <exception cref="MigrateException">There is none.</exception>
    IncomingVmm Obtain(VmDescription machine);

    /// <summary>Sockets of VMMs that an earlier process of this agent started and that may still wait for a machine; asked once, before the first move.</summary>
    IReadOnlyList<string> Leftovers() => [];
}

/// <summary>How an agent works.</summary>
public sealed record AgentOptions
{
    /// <summary>Where it listens; port 0 lets the kernel choose.</summary>
    public IPEndPoint Listen { get; init; } = new(IPAddress.Loopback, 0);

    /// <summary>Whether it may listen beyond loopback, while nothing is encrypted or authenticated.</summary>
    public bool Insecure { get; init; }

    /// <summary>Most connections at a time.</summary>
    public int MaxConnections { get; init; } = 32;

    /// <summary>Most moves at a time.</summary>
    public int MaxMoves { get; init; } = 8;

    /// <summary>Most dry runs at a time; each is a VM with up to 512 vCPUs.</summary>
    public int MaxDryRuns { get; init; } = 2;

    /// <summary>Bytes of memory that this host can give to machines now; null: machines are taken whatever they need.</summary>
    public Func<ulong>? AvailableMemory { get; init; } = HostMemory.Available;

    /// <summary>How long a connection's preamble may take in all.</summary>
    public TimeSpan GreetingTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a peer may be silent after its preamble, and take for its question or its offer in all.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long START may take once all is applied; then it never runs here. Long enough for a sender that digests memory meanwhile.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>How long a question for the outcome waits for a session to end, or for a VMM to notice that its session did.</summary>
    public TimeSpan OutcomePatience { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Called with one line about each connection that ended with an error; null to say nothing.</summary>
    public Action<string>? Report { get; init; }

    internal void Validate()
    {
        if (!IPAddress.IsLoopback(Listen.Address) && !Insecure)
            throw new MigrateException(ErrorCode.Usage, $"{Listen} is reachable from other hosts, and nothing is encrypted or authenticated yet")
            {
                Remedy = "Listen on a loopback address, or accept that with --insecure in a network that you trust.",
            };
    }
}
