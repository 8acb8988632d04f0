using Migrate.Model.Errors;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Ports;
using Migrate.Preflight;
using Migrate.Transfer.Machines;
using Migrate.Transfer.Send;

namespace Migrate.Cli.Sources;

/// <summary>What SRC and DST may be: an existing path by its content, else HOST:PORT, else a machine's name, else an error that lists what was tried.</summary>
internal static class Input
{
    /// <summary>Of a dirty log that nobody reads.</summary>
    private const int AnyPageSize = 4096;

    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);

    /// <summary>The state that SRC stands for. A host profile stands for the VM that this host creates by default.</summary>
    /// <param name="source">As typed.</param>
    /// <param name="features">vCPU features of the default VM; also which shape of a capture of a host.</param>
    /// <param name="host">The source's host profile, where SRC tells it.</param>
    public static MachineState State(string source, VcpuFeatures? features, out HostProfile? host) => Report(source, features, out host).State;

    /// <summary>The same with what a machine's VMM cannot describe.</summary>
    /// <param name="source">As typed.</param>
    /// <param name="features">vCPU features of the default VM; also which shape of a capture of a host.</param>
    /// <param name="host">The source's host profile, where SRC tells it.</param>
    public static MachineReport Report(string source, VcpuFeatures? features, out HostProfile? host)
    {
        host = null;
        if (File.Exists(source))
        {
            switch (FileInput.Read(source))
            {
                case FileInput.OfState { State: var state, Host: var assumed }:
                    host = assumed;
                    return Plain(state);
                case FileInput.OfSnapshot { State: var state }:
                    return Plain(state);
                case FileInput.OfProfile { Profile: var profile }:
                    host = profile;
                    return Plain(DefaultMachine.Of(profile, features));
                case var other:
                    throw new MigrateException(ErrorCode.Malformed, $"{source} is {other.Kind}, which is neither a state nor a host profile");
            }
        }
        if (Endpoint.TryParse(source, out var agent))
        {
            host = AgentProfile(agent);
            return Plain(DefaultMachine.Of(host, features));
        }
        if (IsMachine(source)) return Describe(source);
        throw NotFound("SRC", source);
    }

    /// <summary>The host profile that DST stands for.</summary>
    public static HostProfile Profile(string destination, string what)
    {
        if (File.Exists(destination))
        {
            return FileInput.Read(destination) switch
            {
                FileInput.OfProfile { Profile: var profile } => profile,
                FileInput.OfState { Host: { } host } => host,
                var other => throw new MigrateException(ErrorCode.Malformed, $"{destination} is {other.Kind}, not a host profile")
                { Remedy = "Give a profile (vmmigrate convert a capture of the destination), or HOST:PORT of its agent." },
            };
        }
        if (Endpoint.TryParse(destination, out var agent)) return AgentProfile(agent);
        throw NotFound(what, destination);
    }

    /// <summary>The profile, where the text stands for a host and nothing else: a profile's file or an agent; else null.</summary>
    public static HostProfile? TryProfile(string text)
    {
        if (File.Exists(text)) return FileInput.Read(text) is FileInput.OfProfile { Profile: var profile } ? profile : null;
        return Endpoint.TryParse(text, out var agent) ? AgentProfile(agent) : null;
    }

    public static MachineReport Describe(string machine)
    {
        using var client = MachineClient.Connect(StateDirectory.Resolve(machine));
        return client.Describe();
    }

    public static bool IsMachine(string text) =>
        text.Contains('/') ? File.Exists(text)
        : StateDirectory.IsName(text) && (File.Exists(StateDirectory.SocketOf(text)) || StateDirectory.Names().Any(n => StateDirectory.Ask(StateDirectory.SocketOf(n))?.Name == text));

    /// <summary>Whether a path is a machine's socket and no file to read.</summary>
    public static bool IsSocket(string path) => path.EndsWith(".sock", StringComparison.Ordinal);

    /// <summary>The questions to an agent.</summary>
    public static AgentClient Agent(Endpoint agent) => new(agent.Host, agent.Port) { Timeout = ConnectTimeout };

    private static HostProfile AgentProfile(Endpoint agent) => Agent(agent).Profile();

    private static MachineReport Plain(MachineState state) => new() { State = state, PageSize = AnyPageSize };

    private static MigrateException NotFound(string what, string text)
    {
        var machines = StateDirectory.Names();
        return new MigrateException(
            ErrorCode.NotFound,
            $"{what} '{text}' is no file, no HOST:PORT, and no machine of {StateDirectory.Machines} "
            + (machines.Count == 0 ? "(there are none)" : $"(there: {string.Join(", ", machines)})"))
        { Stage = Stage.Input };
    }
}
