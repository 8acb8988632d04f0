using Migrate.Model;
using Migrate.Model.Errors;
using Migrate.Model.Explanations;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;

namespace Migrate.Preflight.Explain;

/// <summary>Says what a finding code or a register means, why it matters and what to do.</summary>
public static class Explainer
{
    /// <summary>What <c>--accept</c> takes for verdicts that rest on assumptions; here another word for <see cref="FindingCode.Unproven"/>.</summary>
    private const string Assumed = "assumed";

    private const int Suggestions = 5;

    /// <summary>Every kind of finding.</summary>
    public static Explanation Codes() => new()
    {
        Subject = "finding codes",
        Findings = FindingTexts.All.Select(Of).ToEquatableArray(),
    };

    /// <summary>One kind of finding.</summary>
    public static Explanation Of(FindingCode code) => new() { Subject = code.Text(), Findings = [Of(FindingTexts.Of(code))] };

    /// <summary>What the text names: a code as <c>--accept</c> takes it, a register by name, encoding or id, or one field of it (<c>ID_AA64PFR0_EL1.CSV2</c>).</summary>
    /// <param name="text">As typed; case is ignored.</param>
    /// <param name="host">Whose answers about a register are wanted; null: nobody's. A code takes none.</param>
    /// <param name="features">vCPU features of the VM that the host is asked about; null: its default.</param>
    /// <exception cref="MigrateException">
    /// <see cref="ErrorCode.NotFound"/>: it names nothing, or the host was not measured with the features; <see cref="ErrorCode.Usage"/>: a host given with a code;
    /// <see cref="ErrorCode.Refused"/>: the host creates no such vCPU.
    /// </exception>
    public static Explanation Of(string text, HostProfile? host = null, VcpuFeatures? features = null)
    {
        var word = text.ToLowerInvariant();
        if (word == Assumed) word = FindingCode.Unproven.Text();
        if (FindingCodes.TryParse(word, out var code))
            return host is null ? Of(code) : throw new MigrateException(ErrorCode.Usage, $"{word} is a finding code: a host has nothing to say about it; name a register");
        var dot = text.IndexOf('.');
        var name = dot < 0 ? text : text[..dot];
        if (!RegisterCatalog.TryFind(name, out var id) || !id.IsWellFormed) throw NotFound(text, name);
        if (dot < 0) return new Explanation { Subject = RegisterCatalog.Name(id), Register = Of(id, null, host, features) };
        var field = RegisterCatalog.Find(id)?.Field(text[(dot + 1)..]) ?? throw NoField(id, text[(dot + 1)..]);
        return new Explanation { Subject = $"{RegisterCatalog.Name(id)}.{field.Name}", Register = Of(id, field, host, features) };
    }

    private static FindingExplanation Of(FindingText text)
    {
        var never = text.Code == FindingCode.LeftOut || PlanBuilder.NeverAcceptable.Contains(text.Code);
        return new FindingExplanation
        {
            Code = text.Code,
            Severities = text.Severities.ToEquatableArray(),
            Meaning = text.Meaning,
            Guest = text.Guest,
            Remedy = text.Remedy,
            Qemu = text.Qemu,
            Firecracker = text.Firecracker,
            Accept = never ? "" : text.Code == FindingCode.Unproven ? Assumed : text.Code.Text(),
            Accepting = text.Accepting,
            Rules = RuleTexts.All.Where(r => r.Codes.Contains(text.Code)).Select(r => r.ToExplanation()).ToEquatableArray(),
        };
    }

    private static RegisterExplanation Of(RegisterId id, RegisterField? field, HostProfile? host, VcpuFeatures? features)
    {
        var shape = host is null ? null : ShapeOf(host, features);
        var there = shape?.Find(id);
        var (_, phase, why) = StepOrder.Places[(int)StepOrder.PlaceOf(id, there)];
        IReadOnlyList<RegisterField> fields = field is { } one ? [one] : RegisterCatalog.Find(id)?.Fields ?? [];
        return new RegisterExplanation
        {
            Name = RegisterCatalog.Name(id),
            Id = id,
            Group = GroupWords.Of(RegisterCatalog.Find(id)?.Group ?? RegisterGroup.None, id),
            Restored = $"{(phase == StepPhase.Prepare ? "before the first page" : "after the stop")}: {why}",
            Fields = fields.Select(f => new FieldExplanation(f.Name, Bits(f.Shift, f.Width), Words(id, f))).ToEquatableArray(),
            Rules = RuleTexts.All.Where(r => r.Speaks?.Invoke(id) == true).Select(r => r.ToExplanation()).ToEquatableArray(),
            Host = shape is null ? null : HostAnswers.Of(host!, shape, id, there, field),
        };
    }

    private static HostShape ShapeOf(HostProfile host, VcpuFeatures? features)
    {
        var wanted = features ?? DefaultMachine.FeaturesOf(host);
        var shape = host.Shape(wanted, GicKind.GicV3) ?? throw new MigrateException(ErrorCode.NotFound,
            $"the profile was not measured with the vCPU features {wanted.Shape}")
        {
            Stage = Stage.Plan,
            Remedy = $"Measured: {string.Join("; ", host.Shapes.Select(s => s.Features.ToString()).Distinct())}.",
        };
        return shape.Errno == 0 ? shape
            : throw new MigrateException(ErrorCode.Refused, $"the host does not create a vCPU with the features {wanted.Shape}") { Stage = Stage.Plan };
    }

    /// <summary>A field's place as the architecture writes it.</summary>
    internal static string Bits(int shift, int width) => width == 1 ? $"{shift}" : $"{shift + width - 1}:{shift}";

    private static string Words(RegisterId id, RegisterField field)
    {
        var words = new List<string>();
        for (var value = 0UL; value < 1UL << Math.Min(field.Width, 8); value++)
            if (RegisterText.FieldWord(id, field, value) is { } word) words.Add($"{value} {word}");
        return string.Join("; ", words);
    }

    private static MigrateException NotFound(string text, string name)
    {
        var near = Enum.GetValues<FindingCode>().Select(c => c.Text()).Concat(RegisterCatalog.All.Select(r => r.Name))
            .Where(n => name.Length > 1 && n.Contains(name, StringComparison.OrdinalIgnoreCase)).Take(Suggestions).ToList();
        return new MigrateException(ErrorCode.NotFound, $"'{text}' is no finding code and no register")
        {
            Remedy = near.Count > 0 ? $"Perhaps: {string.Join(", ", near)}." : "vmmigrate explain lists the codes; a register goes by its architectural name, its encoding (S3_0_C0_C4_0) or KVM's id (0x...).",
        };
    }

    private static MigrateException NoField(RegisterId id, string field)
    {
        var fields = RegisterCatalog.Find(id)?.Fields ?? [];
        return new MigrateException(ErrorCode.NotFound, $"{RegisterCatalog.Name(id)} has no field '{field}'")
        {
            Remedy = fields.Count > 0 ? $"Its fields: {string.Join(", ", fields.Select(f => f.Name))}." : "It has no named fields.",
        };
    }
}
