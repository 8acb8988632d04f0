using Migrate.Kvm.Probe;

namespace Migrate.LabGuest.Jobs;

/// <summary>This host's own profile, measured by the first job that asks for it.</summary>
internal static class MeasuredHost
{
    private static ProbeReport? _report;

    /// <summary>The measurement.</summary>
    /// <param name="progress">Called with what is measured next, if that is still to be done.</param>
    public static ProbeReport Report(Action<string>? progress = null) => _report ??= KvmProbe.Measure(progress);
}
