using Migrate.Kvm.Handles;
using Migrate.Linux.Processes;
using Migrate.Model.Errors;
using Migrate.Model.Hosts;

namespace Migrate.Kvm.Probe;

/// <summary>The probe of this host.</summary>
public static class KvmProbe
{
    /// <summary>Measures the host that this process runs on. Leaves nothing behind: every VM is closed.</summary>
    /// <param name="progress">Called with what is measured next; null for nobody.</param>
    /// <exception cref="KvmException"><see cref="ErrorCode.Unsupported"/>: there is no arm64 KVM here; <see cref="ErrorCode.Denied"/>: /dev/kvm may not be opened.</exception>
    public static ProbeReport Measure(Action<string>? progress = null)
    {
        using var system = KvmSystem.Open();
        return new HostProbe(new KvmProbeHost(system), Identity(), progress).Measure();
    }

    /// <summary>The running boot, without the KVM mode, which only KVM can tell.</summary>
    private static BootIdentity Identity() => new()
    {
        BootId = Boot.Id,
        HostName = Environment.MachineName,
        KernelRelease = Read("/proc/sys/kernel/osrelease"),
        KernelBuild = Read("/proc/sys/kernel/version"),
        CommandLine = Read("/proc/cmdline"),
        PageSize = Environment.SystemPageSize,
    };

    private static string Read(string path) => File.Exists(path) ? File.ReadAllText(path).Trim() : "";
}
