using Migrate.Model;
using Migrate.Model.Hosts;
using Migrate.Model.Registers;

namespace Migrate.Kvm.Probe;

/// <summary>Measures registers again while an identification register of the VM has another value.</summary>
internal sealed class DependentProbe(IProbeHost host, ScratchVm request, ProbeNotes notes)
{
    private readonly Dictionary<(RegisterId Dependent, RegisterId Controller, int Shift), List<(int Value, Measured? Found)>> _found = [];

    /// <summary>The conditions of every register that has some.</summary>
    /// <param name="pool">A VM to list registers on; left as it was.</param>
    /// <param name="registers">What was measured with a new VM's identification.</param>
    public Dictionary<RegisterId, EquatableArray<Conditional>> Measure(ScratchPool pool, IReadOnlyList<RegisterAcceptance> registers)
    {
        var listed = registers.ToDictionary(r => r.Id);
        foreach (var controller in registers)
        {
            if (!IsFeatureId(controller.Id) || controller.Accepts.Kind != AcceptanceKind.Fields || controller.Reset is not { } reset) continue;
            foreach (var field in controller.Accepts.Fields)
                for (var value = 0; value < 1 << field.Width; value++)
                {
                    var written = new RegisterValue((reset.Low & ~field.Bits) | (ulong)value << field.Shift);
                    if ((field.Mask >> value & 1) != 0 && written != reset && controller.Stored.Of(written) == written)
                        Under(pool, controller.Id, field, value, written, listed);
                }
            pool.Vm.Set(0, controller.Id, reset);
        }
        return _found.GroupBy(f => f.Key.Dependent).ToDictionary(g => g.Key, g => g
            .OrderBy(f => f.Key.Controller).ThenBy(f => f.Key.Shift)
            .SelectMany(f => Conditions(f.Key.Controller, listed[f.Key.Controller], f.Key.Shift, f.Value, listed[g.Key])).ToEquatableArray())
            .Where(entry => entry.Value.Count > 0).ToDictionary();
    }

    private void Under(ScratchPool pool, RegisterId controller, FieldAcceptance field, int value, RegisterValue written, Dictionary<RegisterId, RegisterAcceptance> listed)
    {
        if (pool.Vm.Set(0, controller, written) != 0 || pool.Vm.List(0, out var now) != 0) return;
        var present = now.ToHashSet();
        var dependents = listed.Keys.Where(id => !present.Contains(id)).ToHashSet();
        foreach (var id in present)
            if (!listed.ContainsKey(id)) notes.Add(RegisterCatalog.Name(id), $"listed only while {RegisterCatalog.Name(controller)} is {written.ToShortString()}: not measured");
        foreach (var coupling in Couplings.All)
            if (coupling.Controller == controller && coupling.Shift == field.Shift) dependents.UnionWith(coupling.Dependents.Where(listed.ContainsKey));
        if (dependents.Count == 0) return;

        using var under = new ScratchPool(host, request, vm => vm.Set(0, controller, written));
        var probe = new RegisterProbe(under, notes);
        foreach (var id in dependents)
        {
            var found = default(Measured);
            if (present.Contains(id))
                found = under.Vm.Get(0, id, out var reset) == 0 ? probe.Measure(id, reset, listed[id].Stored.Volatile) : Measured.Nothing;
            var key = (id, controller, field.Shift);
            if (!_found.TryGetValue(key, out var values)) _found.Add(key, values = []);
            values.Add((value, found));
        }
    }

    /// <summary>One condition for the values with the same outcome, unless that is what holds without a condition.</summary>
    private static IEnumerable<Conditional> Conditions(RegisterId controller, RegisterAcceptance measured, int shift, List<(int Value, Measured? Found)> values, RegisterAcceptance plain)
    {
        var width = measured.Accepts.Fields.Single(f => f.Shift == shift).Width;
        foreach (var same in values.GroupBy(v => (v.Found?.Accepts, v.Found?.Stored)))
        {
            var (accepts, stored) = same.Key;
            if (accepts == plain.Accepts && stored == plain.Stored) continue;
            var mask = same.Aggregate(0, (bits, v) => bits | 1 << v.Value);
            yield return new Conditional(controller, shift, width, (ushort)mask, accepts, stored ?? StoredAs.Unchanged);
        }
    }

    /// <summary>op0 3, op1 0, CRn 0, CRm 4 to 7: the registers that say which features the VM has.</summary>
    private static bool IsFeatureId(RegisterId id) => id.Class == RegisterClass.System && id.Index >> 7 == 3 << 7 && ((id.Index >> 3) & 15) is >= 1 and <= 7;
}
