using Migrate.Model;
using Migrate.Model.Errors;
using Migrate.Model.Plans;
using Migrate.Transfer.Handover;

namespace Migrate.Transfer.Send;

/// <summary>A move.</summary>
public sealed record SendOptions
{
    /// <summary>The machine socket of the machine that moves.</summary>
    public required string MachineSocket { get; init; }

    /// <summary>The agent's host.</summary>
    public required string Host { get; init; }

    /// <summary>The agent's port.</summary>
    public required int Port { get; init; }

    /// <summary>Where the handover is recorded.</summary>
    public required StateDirectory State { get; init; }

    /// <summary>The longest stop that is aimed at; the machine is stopped when what is left should fit.</summary>
    public TimeSpan MaxDowntime { get; init; } = TimeSpan.FromMilliseconds(300);

    /// <summary>How long pages may be copied before the move is given up.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Bytes a second at most; 0 for no limit.</summary>
    public long Bandwidth { get; init; }

    /// <summary>Who restores.</summary>
    public Policy Policy { get; init; } = Policy.Vmmigrate;

    /// <summary>Findings that the operator accepts by name.</summary>
    public EquatableArray<FindingCode> Accept { get; init; }

    /// <summary>Whether a verdict that rests on assumptions will do.</summary>
    public bool AcceptAssumed { get; init; }

    /// <summary>Whether digests of guest memory are compared before the machine starts at the destination.</summary>
    public bool Verify { get; init; }

    /// <summary>Whether vCPUs are slowed, step by step, when rounds stop shrinking.</summary>
    public bool AutoConverge { get; init; } = true;

    /// <summary>How long the agent may take to be reached.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the agent may be silent.</summary>
    public TimeSpan ReplyTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long the agent may be silent while the machine stands still; digests take their own time on top.</summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long the agent is asked for the outcome when the connection was lost after the release.</summary>
    public TimeSpan OutcomeTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>HOST:PORT.</summary>
    public string AgentAddress => AgentAddresses.Of(Host, Port);

    internal void Validate()
    {
        if (MaxDowntime < TimeSpan.Zero || Timeout <= TimeSpan.Zero || Bandwidth < 0)
            throw new MigrateException(ErrorCode.Usage, "downtime, timeout and bandwidth are not negative") { Stage = Stage.Input };
    }
}

/// <summary>HOST:PORT of an agent.</summary>
public static class AgentAddresses
{
    /// <summary>Writes one; an IPv6 address in brackets.</summary>
    public static string Of(string host, int port) => host.Contains(':') ? $"[{host}]:{port}" : $"{host}:{port}";

    /// <summary>Reads what <see cref="Of"/> wrote.</summary>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Usage"/>: it is none.</exception>
    public static (string Host, int Port) Parse(string address)
    {
        var colon = address.LastIndexOf(':');
        if (colon > 0 && int.TryParse(address.AsSpan(colon + 1), System.Globalization.NumberStyles.None, null, out var port) && port is > 0 and < 65536)
        {
            var host = address[..colon];
            if (host is ['[', .. var inner, ']']) return (inner, port);
            if (!host.Contains(':')) return (host, port);
        }
        throw new MigrateException(ErrorCode.Usage, $"'{Model.Encoding.Shapes.OneLine(address, 256)}' is not HOST:PORT") { Stage = Stage.Input };
    }
}
