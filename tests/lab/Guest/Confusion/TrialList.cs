using Migrate.Model.Hosts;
using Migrate.Model.Machines;

namespace Migrate.LabGuest.Confusion;

/// <summary>Every trial of one host, and the trial of a recorded name.</summary>
/// <param name="host">The host's profile.</param>
public sealed class TrialList(HostProfile host)
{
    private const string Fresh = "all";
    private const string Smallest = "psci";

    private readonly Dictionary<string, Perturbations> _perturbations = [];
    private readonly Dictionary<string, Dictionary<string, Trial>> _single = [];

    /// <summary>Single changes of the host's own states: registers of the one with every feature, the rest of the smallest and of that one.</summary>
    public IEnumerable<Trial> Singles(IReadOnlyList<RecordedState> own) =>
        own.Where(s => s.Name == Fresh).SelectMany(s => Of(s).OfRegisters())
            .Concat(own.Where(s => s.Name == Smallest || (s.Name == Fresh && s.State.Vm.Features.Has(VcpuFeatures.Sve))).SelectMany(s => Of(s).OfParts()));

    /// <summary>Joint changes, half of the host's own state and half of others', in turn.</summary>
    public IEnumerable<Trial> Joint(IReadOnlyList<RecordedState> own, IReadOnlyList<RecordedState> others)
    {
        var mine = own.FirstOrDefault(s => s.Name == Fresh);
        var foreign = others.Where(s => s.Name == Fresh).ToArray();
        for (var number = 0; number < Perturbations.JointTrials; number++)
        {
            var from = number % 2 == 1 && foreign.Length > 0 ? foreign[number / 2 % foreign.Length] : mine;
            if (from is not null) yield return Of(from).Joint(number);
        }
    }

    /// <summary>The trial that a line of a recording names; null where this build makes none of that name.</summary>
    public Trial? Find(RecordedState from, string change)
    {
        if (change == Trial.AsRecorded) return from.Unchanged;
        if (change.StartsWith("joint ", StringComparison.Ordinal))
        {
            var joint = Of(from).Joint(int.Parse(change.AsSpan(6, change.IndexOf(':', StringComparison.Ordinal) - 6), null));
            return joint.Change == change ? joint : null;
        }
        if (!_single.TryGetValue(from.Key, out var single))
            _single[from.Key] = single = Of(from).OfRegisters().Concat(Of(from).OfParts()).ToDictionary(t => t.Change);
        return single.GetValueOrDefault(change);
    }

    private Perturbations Of(RecordedState from) => _perturbations.TryGetValue(from.Key, out var known) ? known
        : _perturbations[from.Key] = new Perturbations(from, host.Shape(from.State.Vm.Features, from.State.Vm.Gic.Kind));
}
