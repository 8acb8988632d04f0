using Migrate.Kvm.Handles;
using Migrate.Linux.Processes;
using Migrate.Model;
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
        var report = new HostProbe(new KvmProbeHost(system), ThisBoot(), progress).Measure();
        // What restores machines here: KvmTarget. Another VMM on this host knows what it knows.
        return report with { Profile = OfThisVmm(report.Profile) };
    }

    /// <summary>A profile of this host with what machines of this VMM can be given: no property of the kernel, so another build may know more than the one that measured.</summary>
    public static HostProfile OfThisVmm(HostProfile profile) =>
        profile with { KnownAttributes = State.KvmTarget.ServedAttributes.ToEquatableArray(), Handlers = State.KvmTarget.KnownHandlers.ToEquatableArray() };

    /// <summary>What keeps this process from measuring the host, in the order in which it would be met; empty when nothing does.</summary>
    /// <param name="path">Where KVM is looked for.</param>
    public static EquatableArray<ProbeNote> Obstacles(string path = KvmSystem.DefaultPath)
    {
        if (!File.Exists(path))
            return [new ProbeNote(path, "it is not there: the kernel has no KVM, or was started without EL2 (by a hypervisor or by its firmware)",
                "look for kvm in the kernel's log; on a virtual machine nested virtualisation must be on")];
        try
        {
            KvmSystem.Open(path).Dispose();
            return [];
        }
        catch (KvmException e)
        {
            return [new ProbeNote(path, e.Message, e.Code == ErrorCode.Denied ? "run as root or as a member of the group that owns it: usermod -a -G kvm USER, then log in again" : e.Remedy ?? "")];
        }
    }

    /// <summary>The running boot, without the KVM mode, which only KVM can tell.</summary>
    public static BootIdentity ThisBoot() => new()
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
