using System.Diagnostics;
using System.Globalization;

namespace Migrate.Lab.Hosts;

/// <summary>This very machine: the agent as a child process, for those who have arm64 hardware with KVM.</summary>
internal sealed class NativeMachine(string programs) : IMachine
{
    private const string MidrFile = "/sys/devices/system/cpu/cpu0/regs/identification/midr_el1";

    public TimeSpan BootLimit => TimeSpan.FromSeconds(30);

    public int? ForwardedPort => null;

    public string Identity => $"kernel {File.ReadAllText("/proc/version")}";

    /// <summary>Kernel series and the CPU's MIDR_EL1, which a kernel on arm64 shows.</summary>
    public static HostId Id()
    {
        var release = File.ReadAllText("/proc/sys/kernel/osrelease").Trim().Split('.', '-');
        var cpu = File.Exists(MidrFile) ? $"midr-{File.ReadAllText(MidrFile).Trim()}" : "no-arm64-cpu";
        return new HostId($"{release[0]}.{release[1]}", cpu);
    }

    public ProcessStartInfo Command(AgentSession session) =>
        new(Environment.ProcessPath!,
        [
            Path.Combine(programs, "app", "Migrate.LabGuest.dll"), "agent", "127.0.0.1",
            session.Port.ToString(CultureInfo.InvariantCulture), session.Token,
        ]);
}
