using System.Globalization;
using Migrate.Model.Machines;
using Migrate.Model.Registers;

namespace Migrate.Model.Hosts;

/// <summary>What two host profiles say differently: the hosts as wholes, then their shapes, registers and fields by name.</summary>
public static class ProfileDifference
{
    private const string Nothing = "-";

    /// <summary>Every difference. What is the same in several shapes is one row, which says in how many.</summary>
    public static IEnumerable<StateDifference> Between(HostProfile here, HostProfile there)
    {
        var shapes = Shapes(here, there).GroupBy(row => row).Select(row => row.Key with { Subject = Subject(row.Key.Subject, row.Count()) });
        return Whole(here, there).Concat(shapes);

        static string Subject(string subject, int count) => count == 1 ? subject : string.Create(CultureInfo.InvariantCulture, $"{subject} ({count} shapes)");
    }

    private static IEnumerable<StateDifference> Whole(HostProfile a, HostProfile b)
    {
        (string Subject, string Here, string There)[] parts =
        [
            ("boot", a.Boot.BootId, b.Boot.BootId),
            ("host name", a.Boot.HostName, b.Boot.HostName),
            ("kernel", a.Boot.KernelRelease, b.Boot.KernelRelease),
            ("kernel build", a.Boot.KernelBuild, b.Boot.KernelBuild),
            ("command line", a.Boot.CommandLine, b.Boot.CommandLine),
            ("KVM mode", a.Boot.KvmMode, b.Boot.KvmMode),
            ("page size", $"{a.Boot.PageSize}", $"{b.Boot.PageSize}"),
            ("evidence", KebabCase.Of(a.Evidence.ToString()), KebabCase.Of(b.Evidence.ToString())),
            ("origin", a.Origin, b.Origin),
            ("address sizes", string.Join(' ', a.IpaSizes), string.Join(' ', b.IpaSizes)),
            ("SMCCC filter", $"{a.HasSmcccFilter}", $"{b.HasSmcccFilter}"),
            ("counter frequency", $"{a.CounterFrequency}", $"{b.CounterFrequency}"),
            .. Each("capability", a.Capabilities.Select(c => (c.Name, $"{c.Value}")), b.Capabilities.Select(c => (c.Name, $"{c.Value}"))),
            .. Each("service", a.Services.Select(Offered), b.Services.Select(Offered)),
            .. Each("handler", a.Handlers.Select(Offered), b.Handlers.Select(Offered)),
            .. Each("attribute", a.KnownAttributes.Select(Offered), b.KnownAttributes.Select(Offered)),
        ];
        return parts.Where(p => p.Here != p.There).Select(p => Row(p.Subject, p.Here, p.There));

        static (string, string) Offered(string name) => (name, "yes");
    }

    private static IEnumerable<(string Subject, string Here, string There)> Each(string kind, IEnumerable<(string Name, string Value)> here, IEnumerable<(string Name, string Value)> there)
    {
        var (a, b) = (here.ToLookup(p => p.Name, p => p.Value), there.ToLookup(p => p.Name, p => p.Value));
        return a.Concat(b).Select(g => g.Key).Distinct().Select(name => ($"{kind} {name}", string.Join(' ', a[name]), string.Join(' ', b[name])));
    }

    private static IEnumerable<StateDifference> Shapes(HostProfile here, HostProfile there)
    {
        foreach (var a in here.Shapes.AsEnumerable())
        {
            if (Same(there, a) is not { } b) yield return Row(Name(a), Outcome(a), Nothing);
            else
            {
                if (Outcome(a) != Outcome(b)) yield return Row(Name(a), Outcome(a), Outcome(b));
                // Where one side makes no such VM, that is the difference.
                if (a.Errno == 0 != (b.Errno == 0)) continue;
                foreach (var row in Registers(a, b)) yield return row;
            }
        }
        foreach (var b in there.Shapes.AsEnumerable())
            if (Same(here, b) is null) yield return Row(Name(b), Nothing, Outcome(b));
    }

    private static HostShape? Same(HostProfile profile, HostShape shape) =>
        profile.Shapes.FirstOrDefault(s => s.Features == shape.Features && s.Gic == shape.Gic && s.Capabilities == shape.Capabilities);

    private static string Name(HostShape shape) =>
        string.Join(' ', new[] { $"shape {shape.Features}", shape.Gic == GicKind.None ? "no GIC" : shape.Gic.ToString() }.Concat(shape.Capabilities));

    private static string Outcome(HostShape shape) => string.Create(CultureInfo.InvariantCulture,
        $"{KebabCase.Of(shape.Evidence.ToString())}, {(shape.Errno == 0 ? "created" : $"refused at {shape.RefusedAt} with errno {shape.Errno}")}");

    private static IEnumerable<StateDifference> Registers(HostShape here, HostShape there)
    {
        var others = there.Registers.ToDictionary(r => r.Id);
        foreach (var a in here.Registers.AsEnumerable())
        {
            if (!others.Remove(a.Id, out var b)) yield return Row(RegisterCatalog.Name(a.Id), "listed", Nothing);
            else if (a != b)
                foreach (var row in Register(a, b)) yield return row;
        }
        foreach (var b in others.Values) yield return Row(RegisterCatalog.Name(b.Id), Nothing, "listed");
        var (left, right) = (here.Registers.Select(r => r.Id).ToHashSet(), there.Registers.Select(r => r.Id).ToHashSet());
        if (!here.Registers.Select(r => r.Id).Where(right.Contains).SequenceEqual(there.Registers.Select(r => r.Id).Where(left.Contains)))
            yield return Row($"{Name(here)} order of registers", "one", "another");
    }

    private static IEnumerable<StateDifference> Register(RegisterAcceptance a, RegisterAcceptance b)
    {
        var name = RegisterCatalog.Name(a.Id);
        if (a.Scope != b.Scope) yield return Row($"{name} belongs to", KebabCase.Of(a.Scope.ToString()), KebabCase.Of(b.Scope.ToString()));
        if (a.FrozenAfterRun != b.FrozenAfterRun) yield return Row($"{name} frozen after first run", YesNo(a.FrozenAfterRun), YesNo(b.FrozenAfterRun));
        if (a.Reset is { } reset && b.Reset is { } other)
            foreach (var difference in RegisterText.Differences(a.Id, reset, other)) yield return Row($"{difference.Where} of a new VM", difference.Here, difference.There);
        else if (a.Reset != b.Reset) yield return Row($"{name} of a new VM", a.Reset?.ToShortString() ?? Nothing, b.Reset?.ToShortString() ?? Nothing);
        foreach (var row in Accepted(a.Id, a.Accepts, b.Accepts)) yield return row;
        if (a.Stored != b.Stored) yield return Row($"{name} reads back", Text(a.Stored), Text(b.Stored));
        if (a.When != b.When) yield return Row($"{name} depending on others", Text(a.When), Text(b.When));
    }

    /// <summary>Field by field where both sides have fields, else as wholes.</summary>
    private static IEnumerable<StateDifference> Accepted(RegisterId id, Acceptance a, Acceptance b)
    {
        var name = RegisterCatalog.Name(id);
        if (a.Kind != AcceptanceKind.Fields || b.Kind != AcceptanceKind.Fields)
        {
            if (a != b) yield return Row($"{name} takes", Text(id, a), Text(id, b));
            yield break;
        }
        foreach (var place in a.Fields.Concat(b.Fields).Select(f => (f.Shift, f.Width)).Distinct().Order())
        {
            var (left, right) = (Values(a, place), Values(b, place));
            if (left != right) yield return Row($"{FieldName(id, place.Shift, place.Width)} takes", left, right);
        }
        if (a.Rest != b.Rest) yield return Row($"{name} other bits must be", $"0x{a.Rest:x}", $"0x{b.Rest:x}");
        if (a.Errno != b.Errno) yield return Row($"{name} refuses with", $"errno {a.Errno}", $"errno {b.Errno}");
    }

    private static string Values(Acceptance acceptance, (int Shift, int Width) place)
    {
        foreach (var field in acceptance.Fields)
            if (field.Shift == place.Shift && field.Width == place.Width) return Numbers(field.Mask, field.Width);
        return Nothing;
    }

    private static string Text(RegisterId id, Acceptance acceptance) => acceptance.Kind switch
    {
        AcceptanceKind.Any => "any value",
        AcceptanceKind.OneOf => $"{string.Join(' ', acceptance.Values.Select(v => v.ToShortString()))}, else errno {acceptance.Errno}",
        AcceptanceKind.Fields =>
            $"{string.Join("; ", acceptance.Fields.Select(f => $"{FieldName(id, f.Shift, f.Width)} {Numbers(f.Mask, f.Width)}"))}; other bits 0x{acceptance.Rest:x}, else errno {acceptance.Errno}",
        _ => "unproven",
    };

    private static string Text(StoredAs stored) =>
        stored.Volatile ? "what it counted"
        : stored == StoredAs.Unchanged ? "as written"
        : $"kept 0x{stored.Keep:x} set 0x{stored.Set:x}{string.Concat(stored.Fields.Select(f => $" {f.Written} at bit {f.Shift} as {f.Reads}"))}";

    private static string Text(EquatableArray<Conditional> conditions) => conditions.Count == 0 ? Nothing : string.Join("; ", conditions.Select(c =>
        $"{FieldName(c.Controller, c.Shift, c.Width)} {Numbers(c.Values, c.Width)}: {(c.Accepts is { } accepts ? $"{Text(c.Controller, accepts)}, reads {Text(c.Stored)}" : "absent")}"));

    private static string FieldName(RegisterId id, int shift, int width)
    {
        var fields = RegisterCatalog.Find(id)?.Fields ?? [];
        var name = RegisterCatalog.Name(id);
        foreach (var field in fields)
            if (field.Shift == shift && field.Width == width) return $"{name}.{field.Name}";
        return width == 1 ? $"{name} bit {shift}" : $"{name} bits {shift + width - 1}:{shift}";
    }

    /// <summary>0-3 5: the numbers whose bits are set.</summary>
    private static string Numbers(uint mask, int width)
    {
        var ranges = new List<string>();
        for (var first = 0; first < 1 << width; first++)
        {
            if ((mask >> first & 1) == 0) continue;
            var last = first;
            while (last + 1 < 1 << width && (mask >> (last + 1) & 1) != 0) last++;
            ranges.Add(first == last ? $"{first}" : $"{first}-{last}");
            first = last;
        }
        return ranges.Count == 0 ? "none" : string.Join(' ', ranges);
    }

    private static string YesNo(bool value) => value ? "yes" : "no";

    private static StateDifference Row(string subject, string here, string there) => new(subject, here.Length == 0 ? Nothing : here, there.Length == 0 ? Nothing : there);
}
