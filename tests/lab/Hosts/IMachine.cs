using System.Diagnostics;

namespace Migrate.Lab.Hosts;

/// <summary>How the process is started in which, or under which, a host's agent runs.</summary>
internal interface IMachine
{
    /// <summary>From the start to the agent's first word.</summary>
    TimeSpan BootLimit { get; }

    /// <summary>Loopback port of this machine that leads to <see cref="LabGuest.Jobs.PairJob.Port"/> on the host; null: none.</summary>
    int? ForwardedPort { get; }

    /// <summary>What exactly answers, as lines: kernel and, where there is one, emulator.</summary>
    string Identity { get; }

    /// <summary>The command; its agent calls the session's port and shows its token.</summary>
    ProcessStartInfo Command(AgentSession session);
}
