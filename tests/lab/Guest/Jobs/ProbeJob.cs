using Migrate.Kvm.Probe;
using Migrate.Model.Encoding;
using Migrate.Model.Hosts;

namespace Migrate.LabGuest.Jobs;

/// <summary>Measures the host: the profile must be readable and say something; that it is the one of every boot before is the recording's to show.</summary>
internal static class ProbeJob
{
    public static void Run(JobContext context)
    {
        ProbeReport? report = null;
        if (!context.Case("probe succeeds", () => report = MeasuredHost.Report(context.Note))) return;
        var profile = report!.Profile;
        context.Note(FormattableString.Invariant($"{report.Calls} ioctls in {report.Elapsed.TotalSeconds:F1} s, {profile.Shapes.Count} shapes"));
        foreach (var note in report.Notes) context.Note($"{note.Subject}: {note.Reason}");
        context.Case("the profile is read back as it was written", () => CheckFailedException.That(
            MessagePackEncoding.Decode(Documents.HostProfile, MessagePackEncoding.Encode(Documents.HostProfile, profile)) == profile, "it differs"));
        context.Case("it measured registers", () => CheckFailedException.That(
            profile.Shapes.Any(s => s.Errno == 0 && s.Registers.Count > 100), "no shape has 100 registers"));
        context.Case("a guest ran", () => CheckFailedException.That(profile.CounterFrequency != 0 && profile.Services.Count > 0, "it answered nothing"));
        context.Answer("probe.profile", MessagePackEncoding.Encode(Documents.HostProfile, Normalised(profile, context.Host)));
    }

    /// <summary>Without what changes from boot to boot, without our VMM's handlers, which are no answer of the kernel's, and called what the lab calls the host: an initramfs has no name.</summary>
    private static HostProfile Normalised(HostProfile profile, string host) =>
        profile with { Handlers = [], Boot = profile.Boot with { BootId = "", CommandLine = "", HostName = host } };
}
