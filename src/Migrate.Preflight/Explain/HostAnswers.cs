using Migrate.Model;
using Migrate.Model.Explanations;
using Migrate.Model.Hosts;
using Migrate.Model.Registers;
using Migrate.Preflight.Registers;

namespace Migrate.Preflight.Explain;

/// <summary>What one host accepts for one register, in words.</summary>
internal static class HostAnswers
{
    /// <summary>Accepted values of a field up to which each is told with its word.</summary>
    private const int Told = 4;

    private const string Unmeasured = "not measured";

    /// <summary>The answer.</summary>
    /// <param name="host">Whose.</param>
    /// <param name="shape">For the VM of this shape.</param>
    /// <param name="id">About which register.</param>
    /// <param name="there">What the shape says about it; null where it does not list it.</param>
    /// <param name="only">The one field that is wanted; null: all.</param>
    public static HostAnswer Of(HostProfile host, HostShape shape, RegisterId id, RegisterAcceptance? there, RegisterField? only)
    {
        var answer = new HostAnswer
        {
            Host = host.Boot.HostName.Length == 0 && host.Origin.Length > 0 ? host.Origin : Reports.Words(host.Boot),
            Features = shape.Features.ToString(),
            Evidence = PlanContext.Weaker(shape.Evidence, host.Evidence),
            Listed = there is not null,
        };
        if (there is null) return answer with { Accepts = "nothing: ENOENT" };
        var (now, stored) = InForce(there, shape);
        return answer with
        {
            New = there.Reset is { } reset ? RegisterText.Describe(id, reset) : "",
            Accepts = now is null ? "nothing: a new VM does not have it (ENOENT)" : Words(id, now),
            Notes = Notes(id, there, stored).ToEquatableArray(),
            Fields = now is null ? [] : Fields(id, now, there.Reset, only).ToEquatableArray(),
        };
    }

    /// <summary>What holds in a new VM, whose controlling registers have their reset values.</summary>
    private static (Acceptance? Accepts, StoredAs Stored) InForce(RegisterAcceptance there, HostShape shape)
    {
        foreach (var conditional in there.When)
        {
            var controller = shape.Find(conditional.Controller)?.Reset?.Low ?? 0;
            var now = (int)(controller >> conditional.Shift) & ((1 << conditional.Width) - 1);
            if ((conditional.Values >> now & 1) != 0) return (conditional.Accepts, conditional.Stored);
        }
        return (there.Accepts, there.Stored);
    }

    private static string Words(RegisterId id, Acceptance accepts) => accepts.Kind switch
    {
        AcceptanceKind.Unproven => Unmeasured,
        AcceptanceKind.Fields when accepts.Fields.Count == 0 => $"{RegisterText.Describe(id, new RegisterValue(accepts.Rest))} alone, else {RegisterWords.Errno(accepts.Errno)}",
        AcceptanceKind.Fields => $"field by field, else {RegisterWords.Errno(accepts.Errno)}",
        AcceptanceKind.OneOf => $"{RegisterWords.Accepted(id, accepts)}, else {RegisterWords.Errno(accepts.Errno)}",
        _ => RegisterWords.Accepted(id, accepts),
    };

    private static List<string> Notes(RegisterId id, RegisterAcceptance there, StoredAs stored)
    {
        List<string> notes = [there.Scope == RegisterScope.Vm ? "one for the whole VM" : "each vCPU has its own"];
        if (there.FrozenAfterRun) notes.Add("frozen once a vCPU has run: another value is EBUSY from then on");
        if (stored.Volatile) notes.Add("moves by itself: no read-back proves anything");
        else if (stored.Keep == 0) notes.Add($"whatever is written is not kept: it reads {RegisterText.Describe(id, new RegisterValue(stored.Set, Math.Min(id.Size, 8)))}");
        else if (stored.Keep != ulong.MaxValue) notes.Add($"only the bits 0x{stored.Keep:x} are kept as written" + (stored.Set == 0 ? "" : $", 0x{stored.Set:x} always reads as ones"));
        foreach (var field in stored.Fields)
            notes.Add($"{Name(id, field.Shift, field.Width)} written as {RegisterWords.Number(field.Written)} reads {RegisterWords.Number(field.Reads)}");
        foreach (var when in there.When)
        {
            var values = RegisterWords.Numbers(Enumerable.Range(0, 1 << when.Width).Where(v => (when.Values >> v & 1) != 0).Select(v => (ulong)v));
            var accepts = when.Accepts is null ? "it does not exist (ENOENT)" : when.Accepts.Kind == AcceptanceKind.Unproven ? Unmeasured : $"accepts {Words(id, when.Accepts)}";
            notes.Add($"while {RegisterCatalog.Name(when.Controller)}.{Name(when.Controller, when.Shift, when.Width)} is {values}: {accepts}");
        }
        return notes;
    }

    private static IEnumerable<FieldAnswer> Fields(RegisterId id, Acceptance accepts, RegisterValue? reset, RegisterField? only)
    {
        if (id.Size > 8 || accepts.Kind is AcceptanceKind.Unproven) yield break;
        var rest = accepts.Fields.Span.ToArray().ToList();
        foreach (var field in RegisterCatalog.Find(id)?.Fields ?? [])
        {
            if (only is { } one && one != field) continue;
            var inside = rest.Where(f => (f.Bits & field.Mask) != 0).ToList();
            rest.RemoveAll(inside.Contains);
            yield return new FieldAnswer(field.Name, Explainer.Bits(field.Shift, field.Width),
                reset is { } value ? RegisterText.DescribeField(id, field, field.Extract(value.Low)) : "", Accepted(id, field, accepts, inside));
        }
        if (only is not null) yield break;
        foreach (var field in rest.OrderByDescending(f => f.Shift))
        {
            yield return new FieldAnswer("", Explainer.Bits(field.Shift, field.Width),
                reset is { } value ? RegisterWords.Number((ulong)field.Extract(value.Low)) : "", RegisterWords.Numbers(Values(field)));
        }
    }

    private static string Accepted(RegisterId id, RegisterField field, Acceptance accepts, List<FieldAcceptance> inside)
    {
        switch (accepts.Kind)
        {
            case AcceptanceKind.Any:
                return "any value";
            case AcceptanceKind.OneOf:
                return Values(id, field, [.. accepts.Values.Select(v => field.Extract(v.Low)).Distinct().Order()]);
            default:
                if (inside.Count == 0) return Values(id, field, [field.Extract(accepts.Rest)]);
                if (inside is [var whole] && whole.Bits == field.Mask) return Values(id, field, [.. Values(whole)]);
                return string.Join("; ", inside.OrderByDescending(f => f.Shift).Select(f => $"bits {Explainer.Bits(f.Shift, f.Width)}: {RegisterWords.Numbers(Values(f))}"));
        }
    }

    private static string Values(RegisterId id, RegisterField field, IReadOnlyList<ulong> values) =>
        values.Count > 1 && values.Count == 1 << field.Width ? "any value"
        : values.Count <= Told ? string.Join(", ", values.Select(v => RegisterText.DescribeField(id, field, v)))
        : RegisterWords.Numbers(values);

    private static IEnumerable<ulong> Values(FieldAcceptance field) =>
        Enumerable.Range(0, 1 << field.Width).Where(v => (field.Mask >> v & 1) != 0).Select(v => (ulong)v);

    private static string Name(RegisterId id, int shift, int width)
    {
        foreach (var field in RegisterCatalog.Find(id)?.Fields ?? [])
            if (field.Shift == shift && field.Width == width) return field.Name;
        return $"bits {Explainer.Bits(shift, width)}";
    }
}
