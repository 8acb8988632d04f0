using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Registers;

namespace Migrate.Tests.Kvm.Probe;

/// <summary>Where a measured profile and an assumed one of the same kernel series and CPU say different things, a line for each register and kind of difference.</summary>
internal static class ProfileDifferences
{
    public static IEnumerable<string> Of(HostProfile assumed, HostProfile measured)
    {
        foreach (var shape in measured.Shapes.ToArray())
        {
            if (shape.Gic != GicKind.None || assumed.Shape(shape.Features, GicKind.None) is not { } other) continue;
            if (shape.Errno != other.Errno) yield return $"{shape.Features} errno {other.Errno} -> {shape.Errno}";
            foreach (var line in OfShapes(other, shape)) yield return line;
        }
    }

    private static IEnumerable<string> OfShapes(HostShape assumed, HostShape measured)
    {
        var (expected, actual) = (new ShapeIndex(assumed), new ShapeIndex(measured));
        foreach (var found in measured.Registers.ToArray())
            if (expected.Find(found.Id) is null) yield return $"{Name(found.Id)} not assumed to be listed";
        foreach (var was in assumed.Registers.ToArray())
        {
            var name = Name(was.Id);
            if (actual.Find(was.Id) is not { } found)
            {
                yield return $"{name} not listed";
                continue;
            }
            if (was.Accepts.Kind == AcceptanceKind.Unproven) continue;
            if (found.Accepts.Kind == AcceptanceKind.Unproven)
            {
                yield return $"{name} unproven";
                continue;
            }
            if (was.Reset != found.Reset && !found.Stored.Volatile) yield return $"{name} reset {was.Reset?.ToShortString()} -> {found.Reset?.ToShortString()}";
            if (was.Scope != found.Scope) yield return $"{name} scope {was.Scope} -> {found.Scope}";
            if (was.FrozenAfterRun != found.FrozenAfterRun) yield return $"{name} frozen {was.FrozenAfterRun} -> {found.FrozenAfterRun}";
            if (was.Reset is not { } reset) continue;
            foreach (var line in Answers(name, was.Id, reset, expected, actual)) yield return line;
            foreach (var condition in was.When.Concat(found.When))
                foreach (var line in Under(name, was.Id, reset, condition, expected, actual)) yield return line;
        }
    }

    /// <summary>A new VM's value while the controller has another that it may have.</summary>
    private static IEnumerable<string> Under(string name, RegisterId id, RegisterValue reset, Conditional condition, ShapeIndex expected, ShapeIndex actual)
    {
        if (actual.Find(condition.Controller)?.Reset is not { } own || condition.Accepts is { Kind: AcceptanceKind.Unproven }) yield break;
        for (var field = 0UL; field < 1UL << condition.Width; field++)
        {
            if ((condition.Values >> (int)field & 1) == 0) continue;
            var under = new RegisterValue((own.Low & ~(((1UL << condition.Width) - 1) << condition.Shift)) | field << condition.Shift);
            if (actual.Predict(condition.Controller, under).Kind != AnswerKind.Kept) continue;
            RegisterValue? Current(RegisterId other) => other == condition.Controller ? under : null;
            var (was, found) = (expected.Predict(id, reset, Current), actual.Predict(id, reset, Current));
            if (was.Kind != AnswerKind.Unproven && was.Kind != found.Kind) yield return $"{name} with {Name(condition.Controller)} {under.ToShortString()} {was.Kind} -> {found.Kind}";
        }
    }

    private static IEnumerable<string> Answers(string name, RegisterId id, RegisterValue reset, ShapeIndex expected, ShapeIndex actual)
    {
        var seen = new SortedDictionary<string, (int Count, string First)>(StringComparer.Ordinal);
        foreach (var value in Values(id, reset))
        {
            var (was, found) = (expected.Predict(id, value), actual.Predict(id, value));
            if (was == found) continue;
            var kind = was.Kind == found.Kind
                ? was.Kind == AnswerKind.Refused ? $"errno {was.Errno} -> {found.Errno}" : $"{was.Kind} as another"
                : $"{was.Kind} -> {found.Kind}";
            var example = $"{value.ToShortString()}{(was.Kind == AnswerKind.Changed || found.Kind == AnswerKind.Changed ? $" reads {was.ReadsBack?.ToShortString()} -> {found.ReadsBack?.ToShortString()}" : "")}";
            seen[kind] = seen.TryGetValue(kind, out var before) ? (before.Count + 1, before.First) : (1, example);
        }
        foreach (var (kind, (count, first)) in seen) yield return $"{name} {kind}: {count} of the values tried, first {first}";
    }

    private static IEnumerable<RegisterValue> Values(RegisterId id, RegisterValue reset)
    {
        yield return reset;
        if (id.Size > 8) yield break;
        for (var shift = 0; shift < id.Size * 8; shift += 4)
            for (var value = 0UL; value < 16; value++)
                if (value != (reset.Low >> shift & 15)) yield return new RegisterValue((reset.Low & ~(15UL << shift)) | value << shift, id.Size);
    }

    private static string Name(RegisterId id) => RegisterCatalog.Name(id);
}
