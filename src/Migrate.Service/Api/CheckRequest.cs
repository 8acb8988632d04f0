using Migrate.Model;
using Migrate.Model.Encoding;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;

namespace Migrate.Service.Api;

/// <summary>The body of <c>POST /v1/check</c>: the arguments of <c>vmmigrate check</c>.</summary>
internal sealed record CheckRequest
{
    /// <summary>The word that accepts a verdict which rests on assumptions.</summary>
    public const string Assumed = "assumed";

    private static readonly Dictionary<string, FindingCode> Codes =
        Enum.GetValues<FindingCode>().ToDictionary(code => KebabCase.Of(code.ToString()), StringComparer.Ordinal);

    /// <summary>A <see cref="MachineState"/> or a <see cref="HostProfile"/>.</summary>
    public required object Source { get; init; }

    public required HostProfile Destination { get; init; }

    public Policy Policy { get; init; } = Policy.Vmmigrate;

    public EquatableArray<string> Accept { get; init; }

    public string? Features { get; init; }

    public bool Plan { get; init; }

    /// <summary>The accepted kinds of finding.</summary>
    public HashSet<FindingCode> AcceptedCodes => [.. Accept.Where(word => word != Assumed).Select(word => Codes[word])];

    public static Shape<CheckRequest> Shape { get; } = Declare();

    private static Shape<CheckRequest> Declare()
    {
        var record = new RecordShape<CheckRequest>("CheckRequest", "Would this machine survive that host?");
        var source = record.Required(
            "source",
            new DocumentUnionShape("CheckSource", "The machine: a captured state, or a host profile for the VM that this host creates by default.")
                .With(Documents.MachineState).With(Documents.HostProfile),
            r => r.Source,
            "The machine.");
        var destination = record.Required("destination", Documents.HostProfile, r => r.Destination, "What the destination accepts.");
        var policy = record.Optional("policy", Shapes.Enum<Policy>(), r => r.Policy, Policy.Vmmigrate, "Who restores.");
        var accept = record.Optional(
            "accept",
            Shapes.List(Shapes.TextUpTo(64), Codes.Count + 1),
            r => r.Accept,
            default,
            $"Codes of findings that no longer stop the move, and '{Assumed}' for a verdict that rests on assumptions. "
                + $"Codes: {string.Join(", ", Codes.Keys)}.");
        var features = record.Optional(
            "features",
            Shapes.Optional(Shapes.TextUpTo(256)),
            r => r.Features,
            null,
            "vCPU features of the default VM, comma-separated, such as psci_0_2,pmu_v3; only with a host profile as source.");
        var plan = record.Optional("plan", Shapes.Boolean, r => r.Plan, false, "Whether the report carries the plan.");
        record.Rule(r => r.Accept.FirstOrDefault(word => word != Assumed && !Codes.ContainsKey(word)) is { } word
            ? $"accept: '{Shapes.OneLine(word, 40)}' is no code of a finding; known: {Assumed}, {string.Join(", ", Codes.Keys)}"
            : null);
        record.Rule(r => r.Features is null ? null
            : r.Source is not HostProfile ? "features: only a host profile as source takes them; a state has its own"
            : !VcpuFeatures.TryParse(r.Features, out _) ? $"features: known are {string.Join(", ", VcpuFeatures.Known.Select(f => f.Name))}"
            : null);
        return record.Build(v => new CheckRequest
        {
            Source = v.Get(source),
            Destination = v.Get(destination),
            Policy = v.Get(policy),
            Accept = v.Get(accept),
            Features = v.Get(features),
            Plan = v.Get(plan),
        });
    }
}
