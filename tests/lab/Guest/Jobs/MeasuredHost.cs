using Migrate.Kvm.Probe;
using Migrate.Model.Encoding;
using Migrate.Model.Hosts;

namespace Migrate.LabGuest.Jobs;

/// <summary>This host's own profile, measured by the first job that asks for it.</summary>
internal static class MeasuredHost
{
    private static ProbeReport? _report;

    /// <summary>The profile: as measured if a job has done so since this host was booted, else as recorded of a host of this name; measured if there is neither.</summary>
    public static HostProfile Profile(JobContext context) =>
        _report?.Profile ?? Recorded(context, context.Host) ?? Report().Profile;

    /// <summary>The recorded profile of a host, where the lab sent it along; null where there is none.</summary>
    public static HostProfile? Recorded(JobContext context, string host) =>
        context.Inputs.TryGetValue($"{host}/probe.profile", out var bytes) ? (HostProfile)DocumentFile.Read(bytes.Span, host).Value : null;

    /// <summary>The measurement.</summary>
    /// <param name="progress">Called with what is measured next, if that is still to be done.</param>
    public static ProbeReport Report(Action<string>? progress = null) => _report ??= KvmProbe.Measure(progress);
}
