using System.Globalization;
using Migrate.Cli.Output;
using Migrate.Kvm.Handles;
using Migrate.Kvm.Probe;
using Migrate.Kvm.State;
using Migrate.Linux.Processes;
using Migrate.Model.Errors;
using Migrate.Model.Hosts;
using Migrate.Model.Ports;

namespace Migrate.Cli.Sources;

/// <summary>The arm64 KVM host that this process runs on: what it accepts, and scratch VMs of it.</summary>
internal sealed class ThisHost : IDisposable
{
    private readonly KvmSystem _system;

    private ThisHost(KvmSystem system, HostProfile profile) => (_system, Profile, Scratch) = (system, profile, new KvmScratchHost(system));

    public HostProfile Profile { get; }

    public IScratchHost Scratch { get; }

    /// <summary>Measures the host, or believes a profile of this very boot.</summary>
    /// <param name="terminal">Where progress goes.</param>
    /// <param name="profile">A profile's file; null to measure.</param>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Unsupported"/>: there is no arm64 KVM here; <see cref="ErrorCode.Stale"/>: a profile of another boot.</exception>
    public static ThisHost Open(Terminal terminal, string? profile)
    {
        var system = KvmSystem.Open();
        try
        {
            return new ThisHost(system, profile is null ? Measure(terminal) : KvmProbe.OfThisVmm(RequireThisBoot(Input.Profile(profile, "the profile"), profile, Boot.Id)));
        }
        catch
        {
            system.Dispose();
            throw;
        }
    }

    /// <summary>A profile holds for the boot that it was measured on: command line, microcode and kernel may be others after it.</summary>
    public static HostProfile RequireThisBoot(HostProfile profile, string name, string boot) => profile.Boot.BootId == boot
        ? profile
        : throw new MigrateException(ErrorCode.Stale, profile.Boot.BootId.Length == 0
            ? $"{name} is a profile of no boot that is known; this one is {boot}"
            : $"{name} was measured on boot {profile.Boot.BootId} of {profile.Boot.HostName}; this is boot {boot}")
        { Stage = Stage.Input, Remedy = "Measure this boot: vmmigrate probe -o FILE." };

    public void Dispose() => _system.Dispose();

    private static HostProfile Measure(Terminal terminal)
    {
        var report = KvmProbe.Measure(terminal.IsLive ? what => terminal.Error.Write($"\r\x1b[Kprobe: {what}") : null);
        if (terminal.IsLive) terminal.Error.Write("\r\x1b[K");
        terminal.Error.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"measured {report.Profile.Boot.HostName} with {report.Calls} ioctls in {report.Elapsed.TotalSeconds:F1} s"));
        return report.Profile;
    }
}
