using Migrate.Model.Hosts;

namespace Migrate.LabGuest.Confusion;

/// <summary>Every trial of one host, and the trial of a recorded name.</summary>
public static class TrialList
{
    private const string Fresh = "all";
    private const string Smallest = "psci";

    /// <summary>The states of one source as they were recorded.</summary>
    public static IEnumerable<Trial> Pairs(IEnumerable<RecordedState> states) => states.Select(s => s.Unchanged);

    /// <summary>Single changes of the host's own states: registers of the one with every feature, the rest of the smallest and of that one.</summary>
    public static IEnumerable<Trial> Singles(IReadOnlyList<RecordedState> own, HostProfile host)
    {
        foreach (var from in own.Where(s => s.Name == Fresh))
            foreach (var trial in Perturbations.OfRegisters(from, ShapeOf(host, from))) yield return trial;
        foreach (var from in own.Where(s => s.Name == Smallest || (s.Name == Fresh && s.State.Vm.Features.Has(Model.Machines.VcpuFeatures.Sve))))
            foreach (var trial in Perturbations.OfParts(from)) yield return trial;
    }

    /// <summary>Joint changes, half of the host's own state and half of others', in turn.</summary>
    public static IEnumerable<Trial> Joint(IReadOnlyList<RecordedState> own, IReadOnlyList<RecordedState> others, HostProfile host)
    {
        var mine = own.Where(s => s.Name == Fresh).ToArray();
        var foreign = others.Where(s => s.Name == Fresh).ToArray();
        for (var number = 0; number < Perturbations.JointTrials; number++)
        {
            var from = number % 2 == 1 && foreign.Length > 0 ? foreign[number / 2 % foreign.Length] : mine.Length > 0 ? mine[0] : null;
            if (from is not null) yield return Perturbations.Joint(from, ShapeOf(host, from), number);
        }
    }

    /// <summary>The trial that a line of a recording names; null where this build makes none of that name.</summary>
    public static Trial? Find(RecordedState from, string change, HostProfile host)
    {
        if (change == Trial.AsRecorded) return from.Unchanged;
        if (change.StartsWith("joint ", StringComparison.Ordinal))
        {
            var joint = Perturbations.Joint(from, ShapeOf(host, from), int.Parse(change.AsSpan(6, change.IndexOf(':', StringComparison.Ordinal) - 6), null));
            return joint.Change == change ? joint : null;
        }
        return Perturbations.OfRegisters(from, ShapeOf(host, from)).Concat(Perturbations.OfParts(from)).FirstOrDefault(t => t.Change == change);
    }

    private static HostShape? ShapeOf(HostProfile host, RecordedState state) => host.Shape(state.State.Vm.Features, state.State.Vm.Gic.Kind);
}
