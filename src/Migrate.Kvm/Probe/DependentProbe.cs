using Migrate.Model;
using Migrate.Model.Hosts;
using Migrate.Model.Registers;

namespace Migrate.Kvm.Probe;

/// <summary>Measures registers again while a register that controls them has another value: an identification register of the VM, the number of its counters.</summary>
internal sealed class DependentProbe(IProbeHost host, ScratchVm request, ProbeNotes notes)
{
    private readonly Dictionary<(RegisterId Dependent, RegisterId Controller, Field Field), List<(int Value, Measured? Found)>> _found = [];

    /// <summary>The conditions of every register that has some.</summary>
    /// <param name="pool">A VM to list registers on; left as it was.</param>
    /// <param name="registers">What was measured with a new VM's identification.</param>
    public Dictionary<RegisterId, EquatableArray<Conditional>> Measure(ScratchPool pool, IReadOnlyList<RegisterAcceptance> registers)
    {
        var listed = registers.ToDictionary(r => r.Id);
        foreach (var controller in registers)
        {
            if (controller.Reset is not { Size: 8 } reset) continue;
            foreach (var field in Fields(controller))
                for (var value = 0; value < 1 << field.Width; value++)
                {
                    var written = new RegisterValue((reset.Low & ~field.Bits) | (ulong)value << field.Shift);
                    if (written != reset && controller.Accepts.Accepts(written) == true && controller.Stored.Of(written) == written)
                        Under(pool, controller.Id, field, value, written, listed);
                }
            pool.Vm.Set(0, controller.Id, reset);
        }
        return _found.GroupBy(f => f.Key.Dependent).ToDictionary(g => g.Key, g => g
            .OrderBy(f => f.Key.Controller).ThenBy(f => f.Key.Field.Shift)
            .SelectMany(f => Conditions(f.Key.Controller, f.Key.Field, f.Value, listed[g.Key])).ToEquatableArray())
            .Where(entry => entry.Value.Count > 0).ToDictionary();
    }

    /// <summary>Every field that an identification register leaves open, because it may hide any register; of others those that are known to control some.</summary>
    private static IEnumerable<Field> Fields(RegisterAcceptance controller) =>
        !IsFeatureId(controller.Id) ? Couplings.All.Where(c => c.Controller == controller.Id).Select(c => new Field(c.Shift, c.Width))
        : controller.Accepts.Kind == AcceptanceKind.Fields ? controller.Accepts.Fields.Select(f => new Field(f.Shift, f.Width))
        : [];

    private void Under(ScratchPool pool, RegisterId controller, Field field, int value, RegisterValue written, Dictionary<RegisterId, RegisterAcceptance> listed)
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
            var key = (id, controller, field);
            if (!_found.TryGetValue(key, out var values)) _found.Add(key, values = []);
            values.Add((value, found));
        }
    }

    /// <summary>One condition for the values with the same outcome, unless that is what holds without a condition.</summary>
    private static IEnumerable<Conditional> Conditions(RegisterId controller, Field field, List<(int Value, Measured? Found)> values, RegisterAcceptance plain)
    {
        foreach (var same in values.GroupBy(v => (v.Found?.Accepts, v.Found?.Stored)))
        {
            var (accepts, stored) = same.Key;
            if (accepts == plain.Accepts && stored == plain.Stored) continue;
            var mask = same.Aggregate(0u, (bits, v) => bits | 1u << v.Value);
            yield return new Conditional(controller, field.Shift, field.Width, mask, accepts, stored ?? StoredAs.Unchanged);
        }
    }

    private readonly record struct Field(int Shift, int Width)
    {
        public ulong Bits => ((1UL << Width) - 1) << Shift;
    }

    /// <summary>op0 3, op1 0, CRn 0, CRm 4 to 7: the registers that say which features the VM has.</summary>
    private static bool IsFeatureId(RegisterId id) => id.Class == RegisterClass.System && id.Index >> 7 == 3 << 7 && ((id.Index >> 3) & 15) is >= 1 and <= 7;
}
