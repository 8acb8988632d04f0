using Migrate.Model;
using Migrate.Model.Hosts;

namespace Migrate.Kvm.Probe;

/// <summary>Something that a probe did not measure, or that its profile cannot say.</summary>
/// <param name="Subject">What: a register, a shape, a permission.</param>
/// <param name="Reason">Why, in one sentence.</param>
/// <param name="Remedy">What to do about it; empty where nothing is to be done.</param>
public sealed record ProbeNote(string Subject, string Reason, string Remedy = "");

/// <summary>What a probe found.</summary>
/// <param name="Profile">The host as measured.</param>
/// <param name="Notes">What was not measured and why.</param>
/// <param name="Calls">How many ioctls it took.</param>
/// <param name="Elapsed">How long it took.</param>
public sealed record ProbeReport(HostProfile Profile, EquatableArray<ProbeNote> Notes, long Calls, TimeSpan Elapsed);

/// <summary>Collects notes; the same one is kept once.</summary>
internal sealed class ProbeNotes
{
    private readonly List<ProbeNote> _notes = [];

    public IReadOnlyList<ProbeNote> All => _notes;

    public void Add(string subject, string reason, string remedy = "")
    {
        var note = new ProbeNote(subject, reason, remedy);
        if (!_notes.Contains(note)) _notes.Add(note);
    }
}
